"""What a person sees of a server's memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pawsctl.cli.views import bars, pictures, size

if TYPE_CHECKING:
    from pawsctl.cli.text import Line
    from pawsctl.memory import LimitSet, Memory, NodeMemory

_BAR = 30

CONTAINER = (
    "If this is the Redis of 'redis up' on Docker: its container may use twice the limit that it "
    "was started with, 512 MB at least, and is killed beyond that. To give it more, set "
    "REDIS_MAXMEMORY and run 'pawsctl redis up'."
)

HOW_TO_KEEP = (
    "It lasts until Redis restarts. To keep it: for this project's own Redis set REDIS_MAXMEMORY "
    "and run 'pawsctl redis up'; elsewhere set maxmemory in redis.conf, or run CONFIG REWRITE."
)


def report(found: Memory) -> Iterator[Line]:
    """Each primary's figures, and what should worry somebody."""
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
        yield [(f"  used           {_size(node.used)}{limit}", "")]
    else:
        part = min(node.used / node.limit, 1)
        bar = bars(node.used, node.limit, _BAR) if part < 1 else "█" * _BAR
        yield [
            (f"  used           {size(node.used)} of {size(node.limit)} ", ""),
            (bar, "red" if node.warnings else "cyan"),
            (f" {part:.0%}", ""),
        ]
    ratio = _UNTOLD if node.fragmentation is None else f"{node.fragmentation:g}"
    yield [(f"  peak           {_size(node.peak)}", "")]
    yield [(f"  fragmentation  {ratio}", "")]
    yield [(f"  policy         {node.policy or _UNTOLD}", "")]
    yield [(f"  evicted        {_UNTOLD if node.evicted is None else node.evicted}", "")]
    yield [(f"  AOF            {_AOF[node.aof]}", "")]


_UNTOLD = "not told"
_AOF = {True: "on", False: "off", None: _UNTOLD}


def _size(count: int | None) -> str:
    return _UNTOLD if count is None else size(count)


def change(found: Memory, limit: int, *, origin: str) -> Iterator[Line]:
    """What a new limit would change, and where; `origin` says who named the URL."""
    yield [("in ", ""), (found.url, "bold"), (f" (from {origin}):", "")]
    for node in found.nodes:
        old = size(node.limit) if node.limit else "no limit"
        new = size(limit) if limit else "no limit"
        yield [(f"  {node.node}: {old} → {new}, {_size(node.used)} used", "")]
        if limit and node.used and limit < node.used:
            yield [("  ! less than is used: keys will be evicted, or writes fail", "yellow")]


def limit_set(found: LimitSet) -> Iterator[Line]:
    """The limit that is set now."""
    words = f"maxmemory is {size(found.limit)}" if found.limit else "there is no memory limit"
    for node in found.nodes:
        yield [(f"{node}: {words}", "")]
