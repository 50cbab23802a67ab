"""`pawsctl session get`."""

from typing import Annotated

import typer

from pawsctl.cli.arguments import Phones, is_single, phone_keys
from pawsctl.cli.global_options import Command, invocation
from pawsctl.cli.session.group import app
from pawsctl.errors import UsageError


def _require_text(output_format: str, *, full: bool) -> None:
    """Raise UsageError for an option of the transcript beside a format that has none."""
    if output_format != "text":
        raise UsageError(
            f"{'--full' if full else '--last'} is about the transcript, and -o {output_format} "
            "prints the whole session.",
            hint="Leave one of them out.",
        )


def _require_plain(output_format: str, *, full: bool, last: int | None) -> None:
    """Raise UsageError for options about a format or transcript, which `--raw` does not print."""
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


@app.command(cls=Command)
def get(
    ctx: typer.Context,
    phones: Phones,
    raw: Annotated[bool, typer.Option("--raw", help="Print exactly the stored bytes.")] = False,
    full: Annotated[
        bool, typer.Option("--full", help="Show tool calls and results in full.")
    ] = False,
    last: Annotated[
        int | None,
        typer.Option(
            "--last",
            min=0,
            max=10**9,
            metavar="N",
            help="Show the last N messages, not counting tool messages.",
        ),
    ] = None,
) -> None:
    """Show conversations: messages, time left and last update."""
    from pawsctl.cli.session.views import raw_view, transcript
    from pawsctl.sessions.query import find, raw_rows

    run = invocation(ctx)
    keyspace = run.keyspace
    if full or last is not None:
        keyspace.require_bots("--full" if full else "--last")
    if raw:
        _require_plain(run.format, full=full, last=last)
    elif full or last is not None:
        _require_text(run.format, full=full)
    names = phone_keys(phones, keyspace)
    if raw and len(names) > 1:
        raise UsageError(
            "--raw prints one session's bytes, and several were asked for.",
            hint="Name one session, or leave --raw out.",
        )
    with run.reader() as store:
        found = find.conversations(store, names)
        if raw:
            run.output.raw(find.raw_value(each) for each in found)
        elif keyspace.is_raw:
            run.output.each(
                found, item=raw_rows.stored, view=raw_view.value_view, single=is_single(phones)
            )
        else:
            run.output.each(
                found,
                item=lambda each: each.stored,
                view=lambda each: transcript.transcript(
                    each,
                    full=full,
                    last=last,
                    room=run.output.room,
                    on_terminal=run.output.is_terminal,
                    is_masked=run.output.mask is not None,
                ),
                single=is_single(phones),
            )
            stored = [each for each in found if each.record is not None]
            strange = sum(
                any(raw_view.is_of_another_format(one.rule) for one in each.problems)
                for each in stored
            )
            run.output.advise(lambda: raw_view.format_hint(run, strange, len(stored)))
        find.require_found(store, names, found)
