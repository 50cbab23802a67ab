"""The view of sessions' TTLs. Nothing here writes."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from pawsctl import durations
from pawsctl.cli.output.table import Column, Line, Span
from pawsctl.cli.output.units import about, bars, duration, or_dash
from pawsctl.cli.output.wrapping import wrapped
from pawsctl.cli.session.views.raw_view import titled
from pawsctl.plurals import plural

if TYPE_CHECKING:
    from pawsctl.sessions.contract.keyspace import Keyspace
    from pawsctl.sessions.query.rows import Item, TimeLeft
    from pawsctl.sessions.stats.expiry import Expiry


def ttl_span(item: Item | TimeLeft, *, may_stay: bool = False) -> Span:
    """Return the time that a session has left, in colour if it is short or never ends.

    If it `may_stay`, that it never ends is nothing to see to.
    """
    if item.ttl is None:
        return "no session", "red"
    if item.ttl < 0:
        return duration(item.ttl), "" if may_stay else "red"
    return duration(item.ttl), "yellow" if item.ttl < 900 else ""


def ttl_columns(keyspace: Keyspace) -> Sequence[Column[TimeLeft]]:
    """Return the columns of sessions and the time that they have left."""
    may_stay = not keyspace.ttl
    return titled(
        (
            Column("PHONE", lambda row: (row.phone, "cyan")),
            Column("TTL", lambda row: ttl_span(row, may_stay=may_stay), right=True),
            Column("SECONDS", lambda row: (or_dash(row.ttl), ""), right=True),
        ),
        keyspace,
    )


_SHORT = (900, 3_600, 7_200, 14_400, 21_600, 86_400, 604_800, 2_592_000)


def short(ttl: int) -> list[int]:
    """Return upper bounds in seconds for the bars of a short histogram; `ttl` is the last."""
    return [*(bound for bound in _SHORT if bound < ttl), ttl]


def expiry(found: Expiry, *, room: int | None) -> Iterator[Line]:
    """Render the number of sessions, the shortest and longest TTL, the outliers, a histogram."""
    yield [(plural(found.sessions, "session"), "bold")]
    if found.sessions:
        for facts in (shortest_and_longest(found), within(found)):
            yield from wrapped([(facts, "")], room)
        yield from outliers(found, room)
        yield from histogram(found, room)


def shortest_and_longest(found: Expiry) -> str:
    """Return the two in a clause; that none expires, if so."""
    if found.shortest is None or found.longest is None:
        return "none expires"
    return f"shortest {duration(found.shortest)}, longest {duration(found.longest)}"


def within(found: Expiry) -> str:
    """Return in a clause how many sessions expire soon."""
    return f"within 15 min {found.within_15m}, within 60 min {found.within_60m}"


def outliers(found: Expiry, room: int | None) -> Iterator[Line]:
    """Render how many sessions never expire, and how many do later than they should."""
    parts = []
    if found.never:
        verb = "expires" if found.never == 1 else "expire"
        never = f"{plural(found.never, 'session')} that never {verb}"
        if found.may_stay:
            yield from wrapped([(f"  {never}", "")], room, indent=2)
            return
        parts.append(never)
    if found.too_long:
        longest = durations.text(found.limit)
        parts.append(f"{plural(found.too_long, 'session')} with more than {longest} left")
    if parts:
        yield from wrapped([(f"! {', '.join(parts)}", "red")], room, indent=2)


def histogram(found: Expiry, room: int | None, *, bounds: Sequence[int] = ()) -> Iterator[Line]:
    """Render a bar for each part of the time left; `bounds` are the parts, if not all."""
    counts: dict[int | None, int] = {}
    for each in found.histogram:
        to = each.to
        if to is not None and to > found.limit:
            to = None
        elif to is not None and bounds:
            to = bounds[bisect_left(bounds, to)]
        counts[to] = counts.get(to, 0) + each.sessions
    most = max(counts.values())
    width = min(40, (room or 80) - 11 - len(f"{most}") - 1)
    for to, count in counts.items():
        if most and (to is not None or count):
            label = f"≤ {about(to)}" if to is not None else f"> {about(found.limit)}"
            blocks = bars(count, most, max(1, width))
            yield [(f"{label:>10} ", ""), (blocks, "cyan"), (f" {count}" if blocks else "0", "")]
