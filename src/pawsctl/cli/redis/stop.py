"""`pawsctl redis stop`."""

from functools import partial

import typer

from pawsctl.cli.confirm.stack import record_stack
from pawsctl.cli.global_options import StackCommand
from pawsctl.cli.redis.group import Topology, app, stack_of


@app.command(cls=StackCommand)
def stop(ctx: typer.Context, topology: Topology = "single") -> None:
    """Stop the services without removing them."""
    from pawsctl.cli.redis import event_lines, results_view
    from pawsctl.stack import lifecycle

    run, settings = stack_of(ctx)
    with event_lines.events_shown(run.output, partial(record_stack, run, settings)) as emit:
        done = lifecycle.stop(settings, topology, emit=emit)
    run.count(stopped=len(done.stopped))
    run.output.show(done, results_view.stop)
