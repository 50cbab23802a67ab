"""Commands that change what is stored: `flush`."""

from typing import TYPE_CHECKING, Annotated

import typer

from pawsctl.cli.options import Command, invocation, lazy
from pawsctl.cli.session.group import DryRun, Yes, app

if TYPE_CHECKING:
    from pawsctl.cli import views
    from pawsctl.sessions import operations
else:
    views = lazy("pawsctl.cli.views")
    operations = lazy("pawsctl.sessions.operations")


@app.command(cls=Command)
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
    """Delete every session, and no other application's key."""
    run = invocation(ctx)
    with run.store() as store:
        plan = operations.plan_flush(store, include_seen=include_seen)
        if dry_run:
            run.output.show(plan, views.flush_plan)
            return
        run.output.confirm_on(store.node.target, views.flush_plan(plan), yes=yes, host=confirm)
        with run.output.progress("deleting", plan.total) as progress:
            flushed = operations.flush(store, include_seen=include_seen, progress=progress)
        run.output.show(flushed, views.flushed)
