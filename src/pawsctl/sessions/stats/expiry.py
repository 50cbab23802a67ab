"""When sessions expire: counts by time left, in one pass and constant memory."""

from bisect import bisect_left
from collections.abc import Sequence

import msgspec

from pawsctl import durations
from pawsctl.errors import OperationFailed
from pawsctl.sessions.contract.rules import TTL_SECONDS
from pawsctl.sessions.query.rows import TimeLeft
from pawsctl.sessions.store.reader import SessionReader

# Upper bounds of the TTL histogram in seconds; the last bar has the sessions that live too long.
TTL_BOUNDS = (60, 300, 900, 1_800, 3_600, 7_200, 10_800, 14_400, 18_000, TTL_SECONDS)


class Bar(msgspec.Struct, frozen=True):
    """The number of sessions with more than `above`, at most `to` (None: any) seconds left."""

    above: int
    to: int | None
    sessions: int


class Expiry(msgspec.Struct, frozen=True):
    """When sessions expire. `shortest` and `longest` are in seconds, None if none expires."""

    sessions: int
    never: int
    over_6h: int
    within_15m: int
    within_60m: int
    shortest: int | None
    longest: int | None
    histogram: list[Bar]

    @property
    def is_sound(self) -> bool:
        """Whether every session expires, and within the six hours that the bot gives it."""
        return not self.never and not self.over_6h


class ExpiryCounter:
    """Adds up TTLs one by one."""

    def __init__(self) -> None:
        self.never = 0
        self.shortest_ms: int | None = None
        self.longest_ms: int | None = None
        self.bars = [0] * (len(TTL_BOUNDS) + 1)

    def add(self, ttl_ms: int) -> None:
        """Count a session with that many milliseconds left, -1 for never."""
        if ttl_ms < 0:
            self.never += 1
            return
        if self.shortest_ms is None or ttl_ms < self.shortest_ms:
            self.shortest_ms = ttl_ms
        if self.longest_ms is None or ttl_ms > self.longest_ms:
            self.longest_ms = ttl_ms
        self.bars[bisect_left(_BOUNDS_MS, ttl_ms)] += 1

    def result(self) -> Expiry:
        """Return the figures so far."""
        bounds = (0, *TTL_BOUNDS)
        return Expiry(
            sessions=self.never + sum(self.bars),
            never=self.never,
            over_6h=self.bars[-1],
            within_15m=sum(self.bars[: TTL_BOUNDS.index(900) + 1]),
            within_60m=sum(self.bars[: TTL_BOUNDS.index(3_600) + 1]),
            shortest=_seconds(self.shortest_ms),
            longest=_seconds(self.longest_ms),
            histogram=[
                Bar(above, to, count)
                for above, to, count in zip(bounds, (*TTL_BOUNDS, None), self.bars, strict=True)
            ],
        )


_BOUNDS_MS = [bound * 1000 for bound in TTL_BOUNDS]


def _seconds(milliseconds: int | None) -> int | None:
    return None if milliseconds is None else durations.whole_seconds(milliseconds)


def expiry_of(found: Sequence[TimeLeft]) -> Expiry:
    """Return when the given sessions expire; those that don't exist are left out."""
    counter = ExpiryCounter()
    for each in found:
        if each.ttl is not None:
            counter.add(each.ttl if each.ttl < 0 else each.ttl * 1000)
    return counter.result()


def expiry(store: SessionReader) -> Expiry:
    """Return when all sessions expire, from their TTLs alone."""
    counter = ExpiryCounter()
    for ttl_ms in store.all_ttls():
        counter.add(ttl_ms)
    return counter.result()


def require_sound(found: Expiry) -> None:
    """Raise OperationFailed if a session never expires or lives longer than six hours."""
    if found.is_sound:
        return
    faults, hints = [], []
    if found.never:
        one = found.never == 1
        faults.append(
            f"{found.never} {'session never expires' if one else 'sessions never expire'}"
        )
        hints.append("'pawsctl session list --never-expires'")
    if found.over_6h:
        one = found.over_6h == 1
        faults.append(
            f"{found.over_6h} {'session lives' if one else 'sessions live'} longer than 6 h"
        )
        hints.append("'pawsctl session list --sort ttl --reverse'")
    raise OperationFailed(
        f"{' and '.join(faults)}.",
        hint=f"{' and '.join(hints)} {'shows' if len(hints) == 1 else 'show'} which; the bot mends "
        "the TTL when it next saves.",
    )
