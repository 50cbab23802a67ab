"""The view of sessions' TTLs. Nothing here writes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pawsctl.cli.output.table import Column, Line, Span
from pawsctl.cli.output.units import bars, duration, or_dash, plural

if TYPE_CHECKING:
    from pawsctl.sessions.query.rows import Item, TimeLeft
    from pawsctl.sessions.stats.expiry import Expiry


def ttl_span(item: Item | TimeLeft) -> Span:
    """Return the time that a session has left, in colour if it is short or never ends."""
    if item.ttl is None:
        return "no session", "red"
    return duration(item.ttl), "red" if item.ttl < 0 else "yellow" if item.ttl < 900 else ""


TTL_COLUMNS: tuple[Column[TimeLeft], ...] = (
    Column("PHONE", lambda row: (row.phone, "cyan")),
    Column("TTL", ttl_span, right=True),
    Column("SECONDS", lambda row: (or_dash(row.ttl), ""), right=True),
)


def expiry(found: Expiry) -> Iterator[Line]:
    """Render the shortest and longest TTL, the outliers, and a histogram."""
    yield [(plural(found.sessions, "session"), "bold")]
    if found.shortest is not None and found.longest is not None:
        yield [(f"shortest {duration(found.shortest)}, longest {duration(found.longest)}", "")]
    yield [(f"within 15 min {found.within_15m}, within 60 min {found.within_60m}", "")]
    if found.never:
        verb = "expires" if found.never == 1 else "expire"
        yield [(f"! {plural(found.never, 'session')} that never {verb}", "red")]
    if found.over_6h:
        yield [(f"! {plural(found.over_6h, 'session')} with more than 6 h left", "red")]
    most = max(bar.sessions for bar in found.histogram)
    for bar in found.histogram:
        if most and (bar.to is not None or bar.sessions):
            label = f"≤ {duration(bar.to)}" if bar.to is not None else f"> {duration(bar.above)}"
            yield [
                (f"{label:>9} ", ""),
                (bars(bar.sessions, most, 40), "cyan"),
                (f" {bar.sessions}", ""),
            ]
