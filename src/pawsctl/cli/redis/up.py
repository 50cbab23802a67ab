"""`pawsctl redis up`."""

from functools import partial

import typer

from pawsctl.cli.confirm.stack import record_stack
from pawsctl.cli.global_options import StackCommand
from pawsctl.cli.redis.group import TIMEOUT, Pull, Timeout, Topology, actions, app, stack_of


@app.command(cls=StackCommand)
def up(
    ctx: typer.Context,
    topology: Topology = "single",
    timeout: Timeout = TIMEOUT,
    pull: Pull = "missing",
) -> None:
    """Start this project's Redis, or apply changed settings.

    Waits until Redis answers. If settings changed, Redis is recreated with its data, and the
    changed fields are listed. With --topology, starts a primary, two replicas and three Sentinels,
    or a cluster of six nodes. Both are for trials, have their own data and ports, and run beside
    the single Redis. On a terminal, ends with commands that usually come next.

    The ports of a topology follow from REDIS_PORT: with sentinel +1 to +3 for Redis and +20000 to
    +20002 for the Sentinels; with cluster +622 to +627, and 10000 above them for the cluster bus.
    They stay as they were when it was made, until its data is deleted.
    """
    from pawsctl.cli.redis import event_lines, results_view
    from pawsctl.stack import cautions, lifecycle

    run, settings = stack_of(ctx, starts=True)
    with event_lines.events_shown(run.output, partial(record_stack, run, settings)) as emit:
        done = lifecycle.up(settings, topology, timeout=timeout, pull=pull, emit=emit)
    run.count(**actions(done.services))
    run.output.show(done, results_view.up)
    if run.settings.has_kept_password:
        run.output.note(cautions.LOGIN_KEPT)
    for caution in cautions.of(run.settings, settings, done.services):
        run.output.warn(caution)
    if run.output.is_live:
        for line in results_view.next_steps(done, topology, run.settings.redis_place().url):
            run.output.say(line)
