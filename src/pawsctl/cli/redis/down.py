"""`pawsctl redis down`."""

from functools import partial
from typing import Annotated

import typer

from pawsctl.cli.arguments import Confirm, Yes
from pawsctl.cli.confirm.stack import confirm_stack, record_stack
from pawsctl.cli.global_options import StackCommand
from pawsctl.cli.redis.group import Topology, app, stack_of
from pawsctl.plurals import plural


@app.command(cls=StackCommand)
def down(
    ctx: typer.Context,
    *,
    topology: Topology = "single",
    volumes: Annotated[
        bool, typer.Option("--volumes", help="Also delete the data, after confirmation.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be removed, but change nothing.")
    ] = False,
    yes: Yes = False,
    confirm: Confirm = "",
) -> None:
    """Stop and remove the services, but keep the data."""
    from pawsctl.cli.redis import event_lines, results_view
    from pawsctl.files import state_dir
    from pawsctl.safety.backups import folder
    from pawsctl.stack import remove

    run, settings = stack_of(ctx, reads=dry_run)
    with event_lines.events_shown(run.output, partial(record_stack, run, settings)) as emit:
        done = remove.down(
            settings,
            topology,
            volumes=volumes,
            dry_run=dry_run,
            confirm=lambda question: confirm_stack(
                run, settings, topology, question, host=confirm, yes=yes
            ),
            emit=emit,
        )
    run.count(removed=len(done.removed))
    run.output.show(done, results_view.down)
    if run.verbose and not volumes:
        # `docker compose down -v` deletes it.
        run.output.note("The data is kept: -v is --verbose, and --volumes deletes the data.")
    if volumes and not dry_run and (left := len(folder.every())):
        run.output.note(
            f"Left: {plural(left, 'backup')} in {state_dir.path_of()}. 'pawsctl backup list' lists "
            "them, 'pawsctl backup purge' removes them."
        )
