"""`pawsctl redis failover`."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pawsctl.cli.arguments import waiting_time
from pawsctl.cli.confirm.stack import record_stack
from pawsctl.cli.global_options import StackCommand
from pawsctl.cli.output.table import Line
from pawsctl.cli.redis.group import TIMEOUT, Timeout, app, stack_of
from pawsctl.errors import ExitStatus, UsageError

if TYPE_CHECKING:
    from pawsctl.stack.topology.timer import Timer
    from pawsctl.workflows.failover import Drill

LEAST_SILENCE, MOST_SILENCE = 0.5, 300.0
_TIMERS = {"down-after-milliseconds": "--down-after", "cluster-node-timeout": "--node-timeout"}


@app.command(cls=StackCommand)
def failover(
    ctx: typer.Context,
    topology: Annotated[
        Literal["sentinel", "cluster"] | None,
        typer.Option("--topology", help="Topology of this project to test; required."),
    ] = None,
    *,
    kill: Annotated[bool, typer.Option("--kill", help="Kill a primary (default).")] = False,
    graceful: Annotated[
        bool, typer.Option("--graceful", help="Demote a primary gracefully instead.")
    ] = False,
    down_after: Annotated[
        float | None,
        typer.Option(
            "--down-after",
            metavar="TIME",
            parser=waiting_time,
            help="With sentinel: the down-after-milliseconds to measure with, such as 30s.",
        ),
    ] = None,
    node_timeout: Annotated[
        float | None,
        typer.Option(
            "--node-timeout",
            metavar="TIME",
            parser=waiting_time,
            help="With cluster: the cluster-node-timeout to measure with, such as 15s.",
        ),
    ] = None,
    timeout: Timeout = TIMEOUT,
) -> None:
    """Practise a failover, and measure the outage and lost sessions.

    Writes test sessions during the failover, and deletes them afterwards. Shows which node was
    promoted, how long writes failed, and whether acknowledged sessions were lost; exits with 1 if
    any were. Works only on topologies of 'redis up --topology' on this machine, never on --url.

    The topologies here notice a dead primary after 1.5 s of silence. By default, Sentinel does so
    after 30 s and Cluster after 15 s: --down-after 30s and --node-timeout 15s measure the outage
    that production has with these.
    """
    from pawsctl.cli.redis import event_lines
    from pawsctl.workflows import failover as operation

    if topology is None:
        raise UsageError(
            "A failover needs a topology to practise it on.",
            hint="Add --topology sentinel or --topology cluster.",
        )
    if kill and graceful:
        raise UsageError("--kill and --graceful exclude each other.", hint="Give one of them.")
    silence = down_after if topology == "sentinel" else node_timeout
    for name, of, value in (
        ("--down-after", "sentinel", down_after),
        ("--node-timeout", "cluster", node_timeout),
    ):
        if value is not None and topology != of:
            raise UsageError(f"{name} is a timer of {of}.", hint=f"Add it to --topology {of}.")
        if value is not None and not LEAST_SILENCE <= value <= MOST_SILENCE:
            raise UsageError(
                f"{name} is from {LEAST_SILENCE:g} s to {MOST_SILENCE:g} s.",
                hint="A shorter one takes every pause for a failure.",
            )
    run, settings = stack_of(ctx)
    with event_lines.events_shown(run.output, partial(record_stack, run, settings)) as emit:
        done = operation.failover(
            settings,
            topology,
            keyspace=run.keyspace,
            method="graceful" if graceful else "kill",
            silence=silence,
            timeout=timeout,
            emit=emit,
        )
    run.count(promoted=1, lost=done.lost)
    run.output.show(done, partial(drill_view, knows_timers=silence is not None))
    if not done.ok:
        raise typer.Exit(ExitStatus.FAILED)


_WHY_LOST = {
    "kill": "A primary acknowledges before its replicas have a write; it died in between.",
    "graceful": "Until it was demoted, the old primary took writes that the new one never had.",
}


def drill_view(result: Drill, *, knows_timers: bool = False) -> Iterator[Line]:
    """Render the lost sessions, before all else, what failed, the outage and the writes.

    `knows_timers` leaves out how to measure with another timer.
    """
    if result.lost:
        yield [("lost     ", "bold"), (f"{result.lost} acknowledged sessions", "red")]
        yield [(f"         {_WHY_LOST[result.method]}", "")]
    how = "was killed" if result.method == "kill" else "gave way"
    yield [
        (f"{result.primary} ", "bold"),
        (f"{how}; ", ""),
        (f"{result.promoted} ", "bold"),
        (f"was the primary for all nodes after {result.promoted_after:.2f} s.", ""),
    ]
    when = f"{result.begun_at:%Y-%m-%dT%H:%M:%SZ}"
    by = f"{result.server} on {result.engine}, measured by pawsctl {result.pawsctl}"
    yield [("drill    ", "bold"), (f"{when}, {by}", "")]
    if not result.lost:
        yield [("lost     ", "bold"), ("no acknowledged session", "green")]
    yield [("outage   ", "bold"), (_outage(result), "")]
    if result.method == "kill":
        yield [("timer    ", "bold"), (_timer(result.timer, knows_timers=knows_timers), "")]
    writes = result.writes
    told = f"{writes.acknowledged} acknowledged, {writes.failed} failed, {writes.uncertain} unknown"
    yield [("writes   ", "bold"), (told, "")]
    for note in _notes(result):
        yield [(f"         {note}", "")]
    yield [(f"{result.primary} is a replica now; the test sessions are deleted.", "")]


def _outage(result: Drill) -> str:
    """Return in words how long no write was acknowledged."""
    told = f"{result.outage:.2f} s without an acknowledged write"
    if result.outage_elsewhere is not None:
        told += f" (on the other primaries {result.outage_elsewhere:.2f} s)"
    return f"{told}; the lost ones count as acknowledged" if result.lost else told


def _notes(result: Drill) -> Iterator[str]:
    """Yield what the numbers of writes mean, as far as that is not obvious."""
    if not result.writes.failed:
        yield "None failed: a write waits for the next primary."
    if result.writes.uncertain:
        yield "Unknown: the connection broke before the answer, so it may be stored or not."


def _timer(timer: Timer, *, knows_timers: bool) -> str:
    """Return in a sentence how long the primary had to be silent, and how long in production."""
    here = f"{timer.seconds:g} s of them until a silent primary counts as dead ({timer.name})"
    if timer.seconds == timer.production:
        return f"{here}, as production has by default"
    production = f"production has {timer.production:g} s by default"
    if knows_timers:
        return f"{here}; {production}"
    return f"{here}; {production}, see {_TIMERS[timer.name]} {timer.production:g}s"
