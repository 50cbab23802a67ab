"""`pawsctl session stats`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import typer

from pawsctl.cli.global_options import Command, invocation
from pawsctl.cli.output.table import Line
from pawsctl.cli.output.units import duration, pictures, plural, size
from pawsctl.cli.session.expiry_view import expiry
from pawsctl.cli.session.group import app

if TYPE_CHECKING:
    from pawsctl.sessions.stats.memory_use import MemoryUse
    from pawsctl.sessions.stats.overview import Overview
    from pawsctl.sessions.stats.percentiles import Spread


@app.command(cls=Command)
def stats(ctx: typer.Context) -> None:
    """Show statistics about all sessions.

    Shows the count, time left, sizes, largest sessions, memory use, and how many sessions fit.
    """
    from pawsctl.sessions.stats import overview

    run = invocation(ctx)
    with run.reader(partial=True) as store:
        run.output.show(overview.gather(store), overview_view)


def overview_view(found: Overview) -> Iterator[Line]:
    """Render the overview: count, TTLs, sizes, largest sessions, memory, evictions."""
    count, *histogram = expiry(found.expiry)
    yield [*count, (f" in {found.url}", "")]
    if found.statuses:
        yield [("status  ", "dim"), (_statuses(found), "")]
    if found.problems:
        with_problem = plural(found.problems, "session")
        yield [(f"! {with_problem} with a problem: 'pawsctl session lint' tells which", "red")]
    yield []
    yield from histogram
    yield []
    yield from _spreads(found)
    if found.largest:
        yield []
        yield [("largest", "bold")]
    for each in found.largest:
        messages = "" if each.messages is None else f"  {plural(each.messages, 'message')}"
        yield [(f"{size(each.bytes):>10}  ", ""), (each.phone, "cyan"), (messages, "dim")]
    yield []
    if found.memory:
        yield from _memory(found.memory)
    if found.pictures is not None:
        yield pictures(found.pictures)
    if found.evicted_keys is not None and found.expired_keys is not None:
        yield [
            (f"evicted {found.evicted_keys:,}", "red" if found.evicted_keys else ""),
            (f", expired {found.expired_keys:,} keys since the server started", ""),
        ]
    for reason in found.left_out:
        yield [("left out: ", "yellow"), (reason, "")]


def _statuses(found: Overview) -> str:
    names = {"": "(no status)", None: "(unreadable)"}
    parts = [f"{names.get(each.status, each.status)} {each.sessions:,}" for each in found.statuses]
    if found.other_statuses:
        parts.append(f"others {found.other_statuses:,}")
    return ", ".join(parts)


def _spreads(found: Overview) -> Iterator[Line]:
    titles = "".join(f"{title:>10}" for title in ("min", "p50", "p90", "p99", "max", "mean"))
    yield [(f"{'':14}{titles}", "dim"), (f"   percentiles ± {found.accuracy:.0%}", "dim")]
    yield from _spread("size", found.bytes, size)
    yield from _spread("messages", found.messages, lambda number: f"{number:g}")
    yield from _spread("last update", found.age, duration)


def _spread(name: str, found: Spread | None, shown: Callable[[float], str]) -> Iterator[Line]:
    if found is not None:
        numbers = (found.min, found.p50, found.p90, found.p99, found.max, found.mean)
        yield [(f"{name:14}", ""), ("".join(f"{shown(number):>10}" for number in numbers), "")]


def _memory(found: MemoryUse) -> Iterator[Line]:
    sampled = f"(MEMORY USAGE of {plural(found.sampled, 'session')})"
    yield [("memory  ", "dim"), (f"{size(found.per_session)} a session {sampled}", "")]
    limit = f"{size(found.maxmemory)} of maxmemory"
    if found.is_assumed:
        limit = f"{size(found.maxmemory)}, assumed since the server has no limit or tells none,"
    yield [
        ("room    ", "dim"),
        (f"{limit} would hold {found.holds:,} sessions: {found.per_hour:,} an hour at 6 h", ""),
    ]
