"""When sessions expire: counts by time left, in one pass and constant memory."""

from bisect import bisect_left
from collections.abc import Sequence

import msgspec

from pawsctl import durations
from pawsctl.errors import OperationFailed
from pawsctl.sessions.contract.keyspace import TTL_SECONDS, Keyspace
from pawsctl.sessions.query.rows import TimeLeft
from pawsctl.sessions.store.reader import SessionReader

_DAY = 86_400
# Upper bounds of the TTL histogram in seconds, as far as sessions may live.
_BOUNDS = (
    *(60, 300, 900, 1_800, 3_600, 7_200, 10_800, 14_400, 18_000, TTL_SECONDS, _DAY // 2),
    *(_DAY * days for days in (1, 2, 4, 7, 14, 30, 90, 365)),
)
# Counts up to these are told whatever the TTL is.
_TOLD = (900, 3_600, TTL_SECONDS)


def bounds_of(ttl: int) -> list[int]:
    """Return the upper bounds of the histogram of sessions that live `ttl` seconds at most.

    With 0, they need not expire.
    """
    longest = ttl or _BOUNDS[-1]
    return sorted({*(bound for bound in _BOUNDS if bound < longest), longest, *_TOLD})


class Bar(msgspec.Struct, frozen=True):
    """The number of sessions with more than `above`, at most `to` (None: any) seconds left."""

    above: int
    to: int | None
    sessions: int


class Expiry(msgspec.Struct, frozen=True, omit_defaults=True):
    """When sessions expire. `shortest` and `longest` are in seconds, None if none expires.

    `ttl` is how many seconds they should have at most, if not six hours: then `over_ttl` counts
    those with more. With 0 they need not expire.
    """

    sessions: int
    never: int
    over_6h: int
    within_15m: int
    within_60m: int
    shortest: int | None
    longest: int | None
    histogram: list[Bar]
    ttl: int | None = None
    over_ttl: int | None = None

    @property
    def limit(self) -> int:
        """The seconds that a session should have left at most; that of the last bar, with none."""
        return (TTL_SECONDS if self.ttl is None else self.ttl) or _BOUNDS[-1]

    @property
    def may_stay(self) -> bool:
        """Whether sessions need not expire."""
        return self.ttl == 0

    @property
    def too_long(self) -> int:
        """The number of sessions with more time left than they should have."""
        return self.over_6h if self.over_ttl is None else self.over_ttl

    @property
    def is_sound(self) -> bool:
        """Whether every session expires, and within the TTL that it should have."""
        return self.may_stay or not (self.never or self.too_long)


class ExpiryCounter:
    """Adds up TTLs of sessions that should live `ttl` seconds at most."""

    def __init__(self, ttl: int) -> None:
        self.ttl = ttl
        self.bounds = bounds_of(ttl)
        self._bounds_ms = [bound * 1000 for bound in self.bounds]
        self.never = 0
        self.shortest_ms: int | None = None
        self.longest_ms: int | None = None
        self.bars = [0] * (len(self.bounds) + 1)

    def add(self, ttls_ms: Sequence[int]) -> None:
        """Count sessions with that many milliseconds left, -1 for never."""
        found = [each for each in ttls_ms if each >= 0]
        self.never += len(ttls_ms) - len(found)
        if not found:
            return
        shortest, longest = min(found), max(found)
        if self.shortest_ms is None or shortest < self.shortest_ms:
            self.shortest_ms = shortest
        if self.longest_ms is None or longest > self.longest_ms:
            self.longest_ms = longest
        bars, bounds_ms = self.bars, self._bounds_ms
        for each in found:
            bars[bisect_left(bounds_ms, each)] += 1

    def result(self) -> Expiry:
        """Return the figures so far."""
        sessions, expiring = self.never + sum(self.bars), sum(self.bars)
        is_own = self.ttl != TTL_SECONDS

        def within(seconds: int) -> int:
            return sum(self.bars[: self.bounds.index(seconds) + 1])

        return Expiry(
            sessions=sessions,
            never=self.never,
            over_6h=expiring - within(TTL_SECONDS),
            within_15m=within(900),
            within_60m=within(3_600),
            shortest=_seconds(self.shortest_ms),
            longest=_seconds(self.longest_ms),
            histogram=[
                Bar(above, to, count)
                for above, to, count in zip(
                    (0, *self.bounds), (*self.bounds, None), self.bars, strict=True
                )
            ],
            ttl=self.ttl if is_own else None,
            over_ttl=(expiring - within(self.ttl) if self.ttl else 0) if is_own else None,
        )


def _seconds(milliseconds: int | None) -> int | None:
    return None if milliseconds is None else durations.whole_seconds(milliseconds)


def expiry_of(found: Sequence[TimeLeft], ttl: int) -> Expiry:
    """Return when the given sessions expire; those that don't exist are left out.

    `ttl` is how many seconds they should have at most.
    """
    counter = ExpiryCounter(ttl)
    left = [each.ttl for each in found if each.ttl is not None]
    counter.add([ttl if ttl < 0 else ttl * 1000 for ttl in left])
    return counter.result()


def expiry(store: SessionReader) -> Expiry:
    """Return when all sessions expire, from their TTLs alone."""
    counter = ExpiryCounter(store.keyspace.ttl)
    for ttls_ms in store.all_ttls():
        counter.add(ttls_ms)
    return counter.result()


def require_sound(found: Expiry, keyspace: Keyspace) -> None:
    """Raise OperationFailed if a session never expires or lives longer than it should."""
    if found.is_sound:
        return
    faults, hints = [], []
    if found.never:
        one = found.never == 1
        faults.append(
            f"{found.never} {'session never expires' if one else 'sessions never expire'}"
        )
        hints.append("'pawsctl session list --never-expires'")
    if found.too_long:
        one = found.too_long == 1
        faults.append(
            f"{found.too_long} {'session lives' if one else 'sessions live'} longer than "
            f"{durations.text(found.limit)}"
        )
        hints.append("'pawsctl session list --sort ttl --reverse'")
    raise OperationFailed(
        f"{' and '.join(faults)}.",
        hint=f"{' and '.join(hints)} {'shows' if len(hints) == 1 else 'show'} which"
        f"{'' if keyspace.is_raw else '; the bot mends the TTL when it next saves'}.",
    )
