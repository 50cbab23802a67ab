"""Commands that change what is stored: `flush`."""

from typing import TYPE_CHECKING, Annotated

import typer

from pawsctl.cli.options import invocation, lazy
from pawsctl.cli.session.filtering import FilteringCommand, chosen_filter
from pawsctl.cli.session.group import DryRun, Yes, app

if TYPE_CHECKING:
    from pawsctl.cli import views
    from pawsctl.sessions import flushing
else:
    views = lazy("pawsctl.cli.views")
    flushing = lazy("pawsctl.sessions.flushing")


@app.command(cls=FilteringCommand)
def flush(
    ctx: typer.Context,
    include_seen: Annotated[
        bool, typer.Option("--include-seen", help="Delete wh:seen:* marks too.")
    ] = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    confirm: Annotated[
        str,
        typer.Option(
            "--confirm", metavar="HOST", help="Name the host where it is not this machine."
        ),
    ] = "",
) -> None:
    """Delete every session, or those that the filters let through, and no other key.

    With a filter, what is to be deleted is looked at once more just before; a session that changes
    in that very moment may still go.
    """
    run = invocation(ctx)
    wanted = chosen_filter(ctx)
    with run.store() as store:
        planned = flushing.planned(store, wanted, include_seen=include_seen)
        plan = planned.plan
        if dry_run:
            run.output.show(plan, views.flush_plan)
            return
        run.output.confirm_on(store.node.target, views.flush_plan(plan), yes=yes, host=confirm)
        with run.output.progress("deleting", plan.total) as progress:
            flushed = flushing.flush(store, planned, progress=progress)
        run.output.show(flushed, views.flushed)
