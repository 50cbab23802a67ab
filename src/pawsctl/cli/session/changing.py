"""Commands that change what is stored: `touch`, `delete`, `flush`, `seed`."""

from typing import Annotated

import typer

from pawsctl.cli.arguments import Confirm, DryRun, Phones, Yes, is_single, phone_keys
from pawsctl.cli.confirm import confirm_on
from pawsctl.cli.options import Command, ListCommand, invocation
from pawsctl.cli.session.filtering import FilteringCommand, chosen_filter
from pawsctl.cli.session.group import app


@app.command(cls=ListCommand)
def touch(ctx: typer.Context, phones: Phones) -> None:
    """Give sessions six hours more from now, as the bot does with each message."""
    from pawsctl.cli import views
    from pawsctl.sessions import changing, looking

    run = invocation(ctx)
    names = phone_keys(phones)
    with run.store() as store:
        touched = changing.touch(store, names)
        run.output.rows(touched, views.TTL_COLUMNS, single=is_single(phones))
        looking.require_all(touched)


@app.command(cls=ListCommand)
def delete(ctx: typer.Context, phones: Phones, *, confirm: Confirm = "") -> None:
    """End conversations: the bot starts anew with the next message."""
    from pawsctl.cli import archive_views
    from pawsctl.sessions import changing

    run = invocation(ctx)
    names = phone_keys(phones)
    with run.store() as store:
        confirm_on(run.output, store.connection, (), yes=True, host=confirm)
        deleted = changing.delete(store, names)
        run.output.rows(deleted, archive_views.DELETED_COLUMNS, single=is_single(phones))
        changing.require_existed(deleted)


@app.command(cls=FilteringCommand)
def flush(
    ctx: typer.Context,
    include_seen: Annotated[
        bool, typer.Option("--include-seen", help="Delete wh:seen:* marks too.")
    ] = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    confirm: Confirm = "",
) -> None:
    """Delete every session, or those that the filters let through, and no other key.

    With a filter, what is to be deleted is looked at once more just before; a session that changes
    in that very moment may still go.
    """
    from pawsctl.cli import views
    from pawsctl.sessions import flushing

    run = invocation(ctx)
    wanted = chosen_filter(ctx)
    with run.store() as store:
        target = store.connection.target
        planned = flushing.planned(
            store, wanted, include_seen=include_seen, counted=dry_run or not yes
        )
        plan = planned.plan
        if plan is not None and dry_run:
            run.output.show(plan, views.flush_plan)
            return
        about = views.flush_plan(plan) if plan is not None else views.flush_target(target)
        confirm_on(run.output, store.connection, about, yes=yes, host=confirm)
        with run.output.progress("deleting", plan.total if plan else None) as progress:
            flushed = flushing.flush(store, planned, progress=progress)
        run.output.show(flushed, views.flushed)


@app.command(cls=Command, hidden=True)
def seed(
    ctx: typer.Context,
    count: Annotated[int, typer.Argument(metavar="N", min=1, max=10**8, help="How many.")],
    *,
    number: Annotated[
        int, typer.Option("--seed", metavar="NUMBER", help="The same number makes the same ones.")
    ] = 1,
) -> None:
    """Write made-up sessions into a Redis on this machine, for tests and demos."""
    from pawsctl.cli import archive_views
    from pawsctl.sessions import seeding

    run = invocation(ctx)
    with run.store() as store, run.output.progress("seeding", count) as progress:
        seeded = seeding.seed(store, count, number=number, progress=progress)
    run.output.show(seeded, archive_views.seeded)
