"""`pawsctl redis maxmemory`: change the memory limit of each primary."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from pawsctl.cli.arguments import Confirm, Yes
from pawsctl.cli.confirm.guard import confirm_on
from pawsctl.cli.global_options import Command, invocation
from pawsctl.cli.output.units import size
from pawsctl.cli.redis.group import app
from pawsctl.cli.redis.memory import size_or_untold

if TYPE_CHECKING:
    from pawsctl.cli.output.table import Line
    from pawsctl.server.memory import LimitSet, Memory


@app.command(cls=Command)
def maxmemory(
    ctx: typer.Context,
    size: Annotated[
        str, typer.Argument(metavar="SIZE", help="Limit such as 512mb; 0 for no limit.")
    ],
    *,
    yes: Yes = False,
    confirm: Confirm = "",
) -> None:
    """Set the memory limit of each primary until it restarts.

    Takes effect at once.
    """
    from pawsctl.server import memory

    run = invocation(ctx)
    limit = memory.size(size)
    run.require_changeable("this changes the limit of Redis")
    with run.connect() as connection:
        now = memory.report(connection)
        memory.require_all(now)
        confirm_on(
            run,
            connection,
            change_view(now, limit, origin=connection.target.origin),
            yes=yes,
            host=confirm,
            question="Change the limit?",
        )
        done = memory.set_limit(connection, limit)
        run.count(changed=len(done.nodes))
        run.output.show(done, limit_set)
    if connection.target.may_be_ours and memory.outgrows(now, limit):
        run.output.warn(CONTAINER)
    run.output.note(HOW_TO_KEEP)


CONTAINER = (
    "If this is the Redis of 'redis up' on Docker: its container may use twice the limit that it "
    "was started with, 512 MB at least, and is killed beyond that. To give it more, set "
    "REDIS_MAXMEMORY and run 'pawsctl redis up'."
)

HOW_TO_KEEP = (
    "It lasts until Redis restarts. To keep it: for this project's own Redis set REDIS_MAXMEMORY "
    "and run 'pawsctl redis up'; elsewhere set maxmemory in redis.conf, or run CONFIG REWRITE."
)


def change_view(found: Memory, limit: int, *, origin: str) -> Iterator[Line]:
    """Render the URL, its `origin`, and the old and new limit in bytes of each primary."""
    yield [("in ", ""), (found.url, "bold"), (f" (from {origin}):", "")]
    for node in found.nodes:
        old = size(node.limit) if node.limit else "no limit"
        new = size(limit) if limit else "no limit"
        yield [(f"  {node.node}: {old} → {new}, {size_or_untold(node.used)} used", "")]
        if limit and node.used and limit < node.used:
            yield [("  ! less than is used: keys will be evicted, or writes fail", "yellow")]


def limit_set(found: LimitSet) -> Iterator[Line]:
    """Render the limit that each primary has now."""
    words = f"maxmemory is {size(found.limit)}" if found.limit else "there is no memory limit"
    for node in found.nodes:
        yield [(f"{node}: {words}", "")]
