"""Counts of when sessions expire."""

import pytest

from pawsctl.errors import OperationFailed
from pawsctl.sessions.contract.keyspace import BOT, TTL_SECONDS
from pawsctl.sessions.stats import expiry
from pawsctl.sessions.stats.expiry import Expiry, ExpiryCounter

_MOST_MS = TTL_SECONDS * 1000


def counted(*batches: list[int]) -> Expiry:
    """Return the counts of sessions with those milliseconds left."""
    counter = ExpiryCounter(TTL_SECONDS)
    for batch in batches:
        counter.add(batch)
    return counter.result()


def test_the_shortest_and_the_longest_are_of_all_batches() -> None:
    """Whichever comes first; those that never expire are not among them."""
    for batches in ([[5_000, 9_000], [-1], [2_000]], [[2_000], [9_000, -1, 5_000]]):
        found = counted(*batches)
        assert (found.sessions, found.never, found.shortest, found.longest) == (4, 1, 2, 9)
    nothing = counted([], [-1])
    assert (nothing.sessions, nothing.shortest, nothing.longest) == (1, None, None)


@pytest.mark.parametrize(
    ("ttl_ms", "bar"),
    [(0, 60), (60_000, 60), (60_001, 300), (_MOST_MS, 21_600), (_MOST_MS + 1, None)],
)
def test_a_bound_belongs_to_the_bar_below_it(ttl_ms: int, bar: int | None) -> None:
    """Six hours to the millisecond are not too long."""
    found = counted([ttl_ms])
    assert [each.to for each in found.histogram if each.sessions] == [bar]
    assert found.over_6h == (bar is None)


@pytest.mark.parametrize(
    ("ttls_ms", "within_15m", "within_60m"),
    [([900_000], 1, 1), ([900_001], 0, 1), ([3_600_000], 0, 1), ([3_600_001], 0, 0)],
)
def test_what_expires_soon_is_counted(ttls_ms: list[int], within_15m: int, within_60m: int) -> None:
    """Within a quarter of an hour is also within an hour."""
    found = counted(ttls_ms)
    assert (found.within_15m, found.within_60m) == (within_15m, within_60m)


@pytest.mark.parametrize(
    ("ttls_ms", "fault"),
    [
        ([0, _MOST_MS], None),
        ([5, -1], "1 session never expires"),
        ([-1, -1], "2 sessions never expire"),
        ([_MOST_MS + 1], "1 session lives longer than 6 h"),
        ([_MOST_MS + 1, -1], "1 session never expires and 1 session lives longer"),
    ],
)
def test_an_expiry_is_sound_if_all_end_in_time(ttls_ms: list[int], fault: str | None) -> None:
    """One fault is enough."""
    found = counted(ttls_ms)
    assert found.is_sound is (fault is None)
    if fault is None:
        expiry.require_sound(found, BOT)
        return
    with pytest.raises(OperationFailed, match=fault):
        expiry.require_sound(found, BOT)
