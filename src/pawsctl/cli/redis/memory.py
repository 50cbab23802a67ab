"""`pawsctl redis memory`: the memory of each primary."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer

from pawsctl.cli.global_options import Command, invocation
from pawsctl.cli.output.units import bars, pictures, size
from pawsctl.cli.redis.group import app

if TYPE_CHECKING:
    from pawsctl.cli.output.table import Line
    from pawsctl.server.memory import Memory, NodeMemory


@app.command("memory", cls=Command)
def memory_(ctx: typer.Context) -> None:
    """Show the memory use of each primary.

    Shows used memory, limit, policy and evictions, and warns of problems.
    """
    from pawsctl.server import memory

    run = invocation(ctx)
    with run.connect() as connection:
        found = memory.report_with_pictures(connection)
    run.output.show(found, memory_view)
    memory.require_all(found)


_BAR = 30


def memory_view(found: Memory) -> Iterator[Line]:
    """Render each primary's figures and warnings, and the bot's pictures."""
    for node in found.nodes:
        yield [(node.node, "bold cyan")]
        yield from _figures(node)
        for warning in node.warnings:
            yield [("  ! ", "yellow"), (warning, "yellow")]
    if found.pictures is not None:
        yield pictures(found.pictures)


def _figures(node: NodeMemory) -> Iterator[Line]:
    if node.limit is None or node.used is None:
        limit = f" of {size(node.limit)}" if node.limit else ", limit not told"
        if node.is_unlimited:
            limit = ", no limit"
        yield [(f"  used           {size_or_untold(node.used)}{limit}", "")]
    else:
        part = min(node.used / node.limit, 1)
        bar = bars(node.used, node.limit, _BAR) if part < 1 else "█" * _BAR
        yield [
            (f"  used           {size(node.used)} of {size(node.limit)} ", ""),
            (bar, "red" if node.warnings else "cyan"),
            (f" {part:.0%}", ""),
        ]
    ratio = _UNTOLD if node.fragmentation is None else f"{node.fragmentation:g}"
    yield [(f"  peak           {size_or_untold(node.peak)}", "")]
    yield [(f"  fragmentation  {ratio}", "")]
    yield [(f"  policy         {node.policy or _UNTOLD}", "")]
    yield [(f"  evicted        {_UNTOLD if node.evicted is None else node.evicted}", "")]
    yield [(f"  AOF            {_AOF[node.aof]}", "")]


_UNTOLD = "not told"
_AOF = {True: "on", False: "off", None: _UNTOLD}


def size_or_untold(count: int | None) -> str:
    """Return a size as text, or `not told` for None."""
    return _UNTOLD if count is None else size(count)
