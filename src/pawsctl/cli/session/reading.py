"""Commands that only look: `list`, `get`, `ttl`."""

from typing import TYPE_CHECKING, Annotated

import typer

from pawsctl.cli.options import Command, invocation, is_single, lazy, phone_keys
from pawsctl.cli.session.group import OptionalPhones, Phones, app

if TYPE_CHECKING:
    from pawsctl.cli import views
    from pawsctl.sessions import operations
else:
    views = lazy("pawsctl.cli.views")
    operations = lazy("pawsctl.sessions.operations")


@app.command("list", cls=Command)
def list_(ctx: typer.Context) -> None:
    """List every session: phone, status, messages, time left, last update, size."""
    run = invocation(ctx)
    with run.store() as store:
        run.output.rows(
            operations.list_all(store),
            views.LIST_COLUMNS,
            item=lambda row: row.item,
            empty=f"No sessions in {store.node.target.url}.",
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
        int | None, typer.Option("--last", min=0, metavar="N", help="Only the last N messages.")
    ] = None,
) -> None:
    """Show conversations: who said what, time left, last update."""
    run = invocation(ctx)
    names = phone_keys(phones)
    with run.store() as store:
        found = operations.conversations(store, names)
        if raw:
            run.output.raw(operations.raw_value(each) for each in found)
        else:
            run.output.each(
                found,
                item=lambda each: each.stored,
                view=lambda each: views.transcript(each, full=full, last=last),
                single=is_single(phones),
            )
        operations.require_found(found)


@app.command(cls=Command)
def ttl(
    ctx: typer.Context,
    phones: OptionalPhones = None,
    check: Annotated[
        bool,
        typer.Option("--check", help="Exit 1 where a session never expires or has over 6 h left."),
    ] = False,
) -> None:
    """Show the seconds that sessions have left; without PHONE, how expiry is spread."""
    run = invocation(ctx)
    with run.store() as store:
        if phones:
            found = operations.times_left(store, phone_keys(phones))
            run.output.rows(found, views.TTL_COLUMNS, single=is_single(phones))
            operations.require_all(found)
            overview = operations.expiry_of(found)
        else:
            overview = operations.expiry(store)
            run.output.show(overview, views.expiry)
        if check:
            operations.require_sound(overview)
