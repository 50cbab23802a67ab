"""`pawsctl redis restart`."""

from functools import partial

import typer

from pawsctl.cli.confirm.stack import record_stack
from pawsctl.cli.global_options import StackCommand
from pawsctl.cli.redis.group import TIMEOUT, Timeout, Topology, actions, app, stack_of


@app.command(cls=StackCommand)
def restart(ctx: typer.Context, topology: Topology = "single", timeout: Timeout = TIMEOUT) -> None:
    """Restart the services."""
    from pawsctl.cli.redis import event_lines, results_view
    from pawsctl.stack import lifecycle

    run, settings = stack_of(ctx, starts=True)
    with event_lines.events_shown(run.output, partial(record_stack, run, settings)) as emit:
        done = lifecycle.restart(settings, topology, timeout=timeout, emit=emit)
    run.count(**actions(done.services))
    run.output.show(done, results_view.up)
