"""`pawsctl session stats`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

import typer

from pawsctl import durations, escaping
from pawsctl.cli.global_options import Command, invocation
from pawsctl.cli.output.table import Line, Span, cut
from pawsctl.cli.output.units import about, pictures, size
from pawsctl.cli.output.wrapping import wrapped
from pawsctl.cli.session.group import app
from pawsctl.cli.session.views import expiry_view
from pawsctl.plurals import plural

if TYPE_CHECKING:
    from pawsctl.sessions.stats.expiry import Expiry
    from pawsctl.sessions.stats.memory_use import MemoryUse
    from pawsctl.sessions.stats.overview import Overview
    from pawsctl.sessions.stats.percentiles import Spread


@app.command(cls=Command)
def stats(ctx: typer.Context) -> None:
    """Show statistics about all sessions.

    Shows the count, time left, sizes, largest sessions, memory use, and how many sessions fit.
    """
    from pawsctl.sessions.query import absent
    from pawsctl.sessions.stats import overview

    run = invocation(ctx)
    with run.reader(partial=True) as store:
        found = overview.gather(store)
        run.output.show(found, partial(overview_view, room=run.output.room))
        run.output.advise(lambda: "" if found.sessions else absent.elsewhere(store))


_LABEL = 10
_MOST_PHONE = 20
_SHOWN_LARGEST = 3


def overview_view(found: Overview, *, room: int | None) -> Iterator[Line]:
    """Render the overview in 24 lines: count, TTLs, sizes, largest sessions, memory, evictions."""
    count = plural(found.sessions, "session")
    yield from wrapped([(count, "bold"), (f" in {found.url}", "")], room, indent=2)
    if found.sessions:
        yield from _of_sessions(found, room)
    if found.memory:
        yield from _memory(found.memory, found.expiry, found.sessions, room)
    if found.pictures is not None:
        yield from _fact("pictures", *pictures(found.pictures), room=room)
    if found.evicted_keys is not None and found.expired_keys is not None:
        expired = f"{found.expired_keys:,} {'key' if found.expired_keys == 1 else 'keys'}"
        yield from _fact(
            "evicted",
            (f"{found.evicted_keys:,}", "red" if found.evicted_keys else ""),
            (f", expired {expired} since the server started", ""),
            room=room,
        )
    for reason in found.left_out:
        yield from wrapped([("left out: ", "yellow"), (reason, "")], room, indent=_LABEL)


def _fact(label: str, *spans: Span, room: int | None) -> Iterator[Line]:
    yield from wrapped([(f"{label:<{_LABEL}}", "dim"), *spans], room, indent=_LABEL)


def _of_sessions(found: Overview, room: int | None) -> Iterator[Line]:
    if found.statuses:
        statuses = escaping.visible(_statuses(found))
        if room is not None:
            statuses = cut(statuses, room - _LABEL)
        yield [(f"{'status':<{_LABEL}}", "dim"), (statuses, "")]
    if found.problems:
        with_problem = plural(found.problems, "session")
        text = f"! {with_problem} with a problem: 'pawsctl session lint' tells which"
        yield from wrapped([(text, "red")], room, indent=2)
    yield []
    facts = f"{expiry_view.shortest_and_longest(found.expiry)}; {expiry_view.within(found.expiry)}"
    yield from _fact("expiry", (facts, ""), room=room)
    yield from expiry_view.outliers(found.expiry, room)
    bounds = expiry_view.short(found.expiry.limit)
    yield from expiry_view.histogram(found.expiry, room, bounds=bounds)
    yield []
    yield from _spreads(found, room)
    if found.age is not None:
        newest, half, oldest = map(about, (found.age.min, found.age.p50, found.age.max))
        text = f"newest {newest} ago, half within {half}, oldest {oldest} ago"
        yield from _fact("updated", (text, ""), room=room)
    largest = ", ".join(
        f"{size(each.bytes)} {cut(escaping.visible(each.phone), _MOST_PHONE)}"
        for each in found.largest[:_SHOWN_LARGEST]
    )
    if largest:
        yield from _fact("largest", (largest, ""), room=room)


def _statuses(found: Overview) -> str:
    names = {"": "(no status)", None: "(unreadable)"}
    parts = [f"{names.get(each.status, each.status)} {each.sessions:,}" for each in found.statuses]
    if found.other_statuses:
        parts.append(f"others {found.other_statuses:,}")
    return ", ".join(parts)


def _spreads(found: Overview, room: int | None) -> Iterator[Line]:
    names = ["min", "p50", "p90", "p99", "max", "mean"]
    for least, left_out in ((70, ("p90", "p99")), (50, ("mean",))):
        if room is not None and room < least:
            names = [name for name in names if name not in left_out]
    if found.bytes is not None or found.messages is not None:
        titles = "".join(f"{name:>10}" for name in names)
        yield [(f"{f'± {found.accuracy:.0%}':{_LABEL}}{titles}", "dim")]
    yield from _spread("size", found.bytes, names, size)
    yield from _spread("messages", found.messages, names, lambda number: f"{number:g}")


def _spread(
    label: str, found: Spread | None, names: Sequence[str], shown: Callable[[float], str]
) -> Iterator[Line]:
    if found is not None:
        numbers = "".join(f"{shown(getattr(found, name)):>10}" for name in names)
        yield [(f"{label:{_LABEL}}", "dim"), (numbers, "")]


def _memory(found: MemoryUse, expiry: Expiry, sessions: int, room: int | None) -> Iterator[Line]:
    sampled = f"(MEMORY USAGE of {plural(found.sampled, 'session')})"
    each, total = size(found.per_session), size(found.per_session * sessions)
    yield from _fact("memory", (f"{each} a session {sampled}, about {total} in all", ""), room=room)
    limit = f"{size(found.maxmemory)}{' (assumed)' if found.is_assumed else ''}"
    holds = f"would hold {found.holds:,} sessions"
    if found.per_hour is not None:
        holds += f": {found.per_hour:,} an hour at {durations.text(expiry.limit)}"
    yield from _fact("room", (f"{limit} {holds}", ""), room=room)
