"""`pawsctl redis reset`."""

from typing import Annotated

import typer

from pawsctl.cli.arguments import Confirm, Yes
from pawsctl.cli.confirm.stack import confirm_stack
from pawsctl.cli.global_options import StackCommand
from pawsctl.cli.redis.group import TIMEOUT, Timeout, Topology, actions, app, stack_of


@app.command(cls=StackCommand)
def reset(
    ctx: typer.Context,
    *,
    topology: Topology = "single",
    timeout: Timeout = TIMEOUT,
    no_backup: Annotated[
        bool, typer.Option("--no-backup", help="Do not export the sessions first.")
    ] = False,
    yes: Yes = False,
    confirm: Confirm = "",
) -> None:
    """Export the sessions, delete all data and start again.

    Asks for confirmation. Shows the name of the export, which 'backup restore' or 'session import'
    restores. The last five exports of a day are kept, and the newest until there is a newer one.
    """
    from pawsctl.cli.redis import event_lines, results_view
    from pawsctl.safety.backups import folder
    from pawsctl.workflows import reset as operation

    run, settings = stack_of(ctx, starts=True)
    hours = run.settings.backup_hours()

    def confirmed(question: str) -> None:
        sessions = run.session_settings
        if not (no_backup or sessions.is_default_prefix):
            run.output.note(f"Sessions are keys under {sessions.prefix} ({sessions.origin})")
        confirm_stack(run, settings, topology, question, host=confirm, yes=yes)

    with event_lines.events_shown(run.output) as emit:
        done = operation.reset(
            settings,
            topology,
            keyspace=run.keyspace,
            timeout=timeout,
            with_backup=not no_backup,
            confirm=confirmed,
            emit=emit,
        )
    run.count(removed=len(done.removed), **actions(done.services))
    run.output.show(done, results_view.reset)
    if count := folder.sweep(hours):
        run.output.note(folder.swept_text(count))
        run.count(expired_backups=count)
