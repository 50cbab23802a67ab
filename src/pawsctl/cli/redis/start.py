"""`pawsctl redis start`."""

import typer

from pawsctl.cli.global_options import StackCommand
from pawsctl.cli.redis.group import TIMEOUT, Timeout, Topology, app, stack_of


@app.command(cls=StackCommand)
def start(ctx: typer.Context, topology: Topology = "single", timeout: Timeout = TIMEOUT) -> None:
    """Start stopped services."""
    from pawsctl.cli.redis import event_lines, results_view
    from pawsctl.stack import lifecycle

    run, settings = stack_of(ctx, starts=True)
    with event_lines.events_shown(run.output) as emit:
        done = lifecycle.start(settings, topology, timeout=timeout, emit=emit)
    run.output.show(done, results_view.up)
