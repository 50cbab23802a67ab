"""`pawsctl redis failover`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pawsctl.cli.global_options import StackCommand
from pawsctl.cli.output.table import Line
from pawsctl.cli.redis.group import TIMEOUT, Timeout, app, stack_of
from pawsctl.errors import ExitStatus, UsageError

if TYPE_CHECKING:
    from pawsctl.workflows.failover import Drill


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
    timeout: Timeout = TIMEOUT,
) -> None:
    """Practise a failover, and measure the outage and lost sessions.

    Writes test sessions during the failover, and deletes them afterwards. Shows which node was
    promoted, how long writes failed, and whether acknowledged sessions were lost; exits with 1 if
    any were. Works only on topologies of 'redis up --topology' on this machine, never on --url.
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
    run, settings = stack_of(ctx)
    with event_lines.events_shown(run.output) as emit:
        done = operation.failover(
            settings,
            topology,
            method="graceful" if graceful else "kill",
            timeout=timeout,
            emit=emit,
        )
    run.output.show(done, drill_view)
    if not done.ok:
        raise typer.Exit(ExitStatus.FAILED)


_WHY_LOST = {
    "kill": "A primary acknowledges before its replicas have a write; it died in between.",
    "graceful": "Until it was demoted, the old primary took writes that the new one never had.",
}


def drill_view(result: Drill) -> Iterator[Line]:
    """Render which primary failed, which was promoted, the outage and the lost sessions."""
    how = "was killed" if result.method == "kill" else "gave way"
    yield [
        (f"{result.primary} ", "bold"),
        (f"{how}; ", ""),
        (f"{result.promoted} ", "bold"),
        (f"was the primary after {result.promoted_after:.2f} s.", ""),
    ]
    elsewhere = ""
    if result.outage_elsewhere is not None:
        elsewhere = f" (on the other primaries {result.outage_elsewhere:.2f} s)"
    yield [("outage   ", "bold"), (f"{result.outage:.2f} s without a write{elsewhere}", "")]
    writes = result.writes
    told = f"{writes.acknowledged} acknowledged, {writes.failed} failed, {writes.uncertain} unknown"
    yield [("writes   ", "bold"), (told, "")]
    if result.lost:
        yield [("lost     ", "bold"), (f"{result.lost} acknowledged sessions", "red")]
        yield [(f"         {_WHY_LOST[result.method]}", "")]
    else:
        yield [("lost     ", "bold"), ("no acknowledged session", "green")]
    yield [(f"{result.primary} is a replica now; the test sessions are deleted.", "")]
