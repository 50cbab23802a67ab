"""`pawsctl redis dev`."""

from functools import partial
from typing import Annotated

import typer

from pawsctl.cli.confirm.stack import record_stack
from pawsctl.cli.global_options import StackCommand
from pawsctl.cli.redis.group import TIMEOUT, Pull, Timeout, actions, app, stack_of


@app.command(cls=StackCommand)
def dev(
    ctx: typer.Context,
    timeout: Timeout = TIMEOUT,
    pull: Pull = "missing",
    open_browser: Annotated[
        bool, typer.Option("--open", help="Open Redis Commander in the browser.")
    ] = False,
) -> None:
    """Start Redis and Redis Commander, a web UI; needs Docker.

    Shows the address and login of Redis Commander.
    """
    from pawsctl.cli.redis import event_lines, results_view
    from pawsctl.stack import cautions, lifecycle

    run, settings = stack_of(ctx, starts=True)
    with event_lines.events_shown(run.output, partial(record_stack, run, settings)) as emit:
        done = lifecycle.dev(
            settings, timeout=timeout, pull=pull, open_browser=open_browser, emit=emit
        )
    run.count(**actions(done.services))
    run.output.show(done, results_view.dev)
    if run.settings.has_kept_password:
        run.output.note(cautions.LOGIN_KEPT)
    for caution in cautions.of(run.settings, settings, done.services):
        run.output.warn(caution)
