"""Commands that only look: `list`, `get`, `ttl`."""

from typing import Annotated

import typer

from pawsctl.cli.arguments import OptionalPhones, Phones, is_single, phone_keys
from pawsctl.cli.options import Command, ListCommand, invocation
from pawsctl.cli.session.filtering import FilteringListCommand, chosen_filter
from pawsctl.cli.session.group import app
from pawsctl.errors import UsageError


def _require_once(columns: str | None) -> None:
    """Raises UsageError where `--columns a,b,a` names one twice."""
    names = [] if columns is None else [name.strip() for name in columns.split(",")]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(
                f"--columns names '{name}' twice.", hint="Name each column no more than once."
            )


def _require_plain(output_format: str, *, full: bool, last: int | None) -> None:
    """Raises UsageError for options that say how to show what `--raw` does not show."""
    if output_format != "text":
        what = f"-o {output_format}"
    elif full:
        what = "--full"
    elif last is not None:
        what = "--last"
    else:
        return
    raise UsageError(
        f"--raw prints the stored bytes as they are, and {what} would change them.",
        hint=f"Leave out --raw or {what}.",
    )


@app.command("list", cls=FilteringListCommand)
def list_(
    ctx: typer.Context,
    sort: Annotated[
        str | None, typer.Option("--sort", metavar="FIELD", help="Sort by a column.")
    ] = None,
    reverse: Annotated[bool, typer.Option("--reverse", help="Sort the other way round.")] = False,
    limit: Annotated[
        int | None,
        typer.Option("--limit", min=1, max=10**9, metavar="N", help="At most N sessions."),
    ] = None,
    columns: Annotated[
        str | None,
        typer.Option("--columns", metavar="A,B,C", help="Which columns, in which order."),
    ] = None,
) -> None:
    """List sessions: phone, status, messages, time left, last update, size, last message."""
    from pawsctl.cli import list_views
    from pawsctl.sessions import looking, ordering

    run = invocation(ctx)
    order = ordering.order(sort, reverse=reverse, limit=limit)
    _require_once(columns)
    names = list_views.chosen(columns, run.format)
    wanted = chosen_filter(ctx)
    with run.reader(partial=True) as store:
        run.output.rows(
            looking.list_all(store, wanted, order),
            list_views.columns(names),
            item=list_views.item(names),
            fields=names,
            empty=f"No {'sessions' if wanted.is_empty else 'such session'} in "
            f"{store.connection.target.url}.",
        )


@app.command(cls=Command)
def get(
    ctx: typer.Context,
    phones: Phones,
    raw: Annotated[
        bool, typer.Option("--raw", help="Print the stored bytes, and not one more.")
    ] = False,
    full: Annotated[bool, typer.Option("--full", help="Unfold tool calls and results.")] = False,
    last: Annotated[
        int | None,
        typer.Option("--last", min=0, max=10**9, metavar="N", help="Only the last N messages."),
    ] = None,
) -> None:
    """Show conversations: who said what, time left, last update."""
    from pawsctl.cli import transcripts
    from pawsctl.sessions import looking

    run = invocation(ctx)
    if raw:
        _require_plain(run.format, full=full, last=last)
    elif run.format != "text" and (full or last is not None):
        raise UsageError(
            f"{'--full' if full else '--last'} is about the transcript, and -o {run.format} prints "
            "the whole session.",
            hint="Leave one of them out.",
        )
    names = phone_keys(phones)
    if raw and len(names) > 1:
        raise UsageError(
            "--raw prints one session's bytes, and several were asked for.",
            hint="Name one phone, or leave --raw out.",
        )
    with run.reader() as store:
        found = looking.conversations(store, names)
        if raw:
            run.output.raw(looking.raw_value(each) for each in found)
        else:
            run.output.each(
                found,
                item=lambda each: each.stored,
                view=lambda each: transcripts.transcript(each, full=full, last=last),
                single=is_single(phones),
            )
        looking.require_found(found)


@app.command(cls=ListCommand)
def ttl(
    ctx: typer.Context,
    phones: OptionalPhones = None,
    check: Annotated[
        bool,
        typer.Option("--check", help="Exit 1 where a session never expires or has over 6 h left."),
    ] = False,
) -> None:
    """Show the seconds that sessions have left; without PHONE, how expiry is spread."""
    from pawsctl.cli import views
    from pawsctl.sessions import looking

    run = invocation(ctx)
    with run.reader(partial=True) as store:
        if phones:
            found = looking.times_left(store, phone_keys(phones))
            run.output.rows(found, views.TTL_COLUMNS, single=is_single(phones))
            looking.require_all(found)
            overview = looking.expiry_of(found)
        else:
            overview = looking.expiry(store)
            run.output.show(overview, views.expiry)
        if check:
            looking.require_sound(overview)
