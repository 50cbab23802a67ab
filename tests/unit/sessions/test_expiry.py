"""Counts of when sessions expire."""

import pytest

from pawsctl.errors import OperationFailed
from pawsctl.sessions.contract.keyspace import BOT, TTL_SECONDS, Keyspace
from pawsctl.sessions.query.rows import TimeLeft
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


_UP_TO_6H = [60, 300, 900, 1_800, 3_600, 7_200, 10_800, 14_400, 18_000, 21_600]
_DAYS = [86_400 * days for days in (1, 2, 4, 7, 14, 30, 90, 365)]


@pytest.mark.parametrize(
    ("ttl", "bounds"),
    [
        (21_600, _UP_TO_6H),
        (60, [60, 900, 3_600, 21_600]),
        (1_000, [60, 300, 900, 1_000, 3_600, 21_600]),
        (50_000, [*_UP_TO_6H, 43_200, 50_000]),
        (0, [*_UP_TO_6H, 43_200, *_DAYS]),
    ],
)
def test_the_bars_reach_as_far_as_sessions_may_live(ttl: int, bounds: list[int]) -> None:
    """Counts that are told whatever the TTL is have their bounds."""
    assert expiry.bounds_of(ttl) == bounds
    bars = ExpiryCounter(ttl).result().histogram
    assert [each.above for each in bars] == [0, *bounds]
    assert [each.to for each in bars] == [*bounds, None]


@pytest.mark.parametrize(
    ("ttl", "told", "over", "limit", "is_sound"),
    [
        (21_600, None, None, 21_600, True),
        (60, 60, 2, 60, False),
        (90, 90, 1, 90, False),
        (120, 120, 0, 120, True),
        (0, 0, 0, 31_536_000, True),
    ],
)
def test_another_ttl_is_told_with_those_that_have_more(
    ttl: int, told: int | None, over: int | None, limit: int, is_sound: bool
) -> None:
    """With none, sessions need not expire."""
    found = expiry.expiry_of([TimeLeft("", "", each) for each in (0, 60, 61, 120, None)], ttl)
    assert (found.sessions, found.never, found.shortest, found.longest) == (4, 0, 0, 120)
    assert (found.ttl, found.over_ttl, found.limit, found.too_long) == (
        told,
        over,
        limit,
        over or 0,
    )
    assert (found.is_sound, found.may_stay) == (is_sound, ttl == 0)
    never = expiry.expiry_of([TimeLeft("", "", -1), TimeLeft("", "", 1)], ttl)
    assert (never.sessions, never.never, never.is_sound) == (2, 1, ttl == 0)


def test_what_is_unsound_is_shown_by_a_command() -> None:
    """By two if two things are; the bot mends its own."""
    lists = "'pawsctl session list --sort ttl --reverse'"
    for ttls_ms, keyspace, hint in (
        ([_MOST_MS + 1], BOT, f"{lists} shows which; the bot mends the TTL when it next saves."),
        (
            [-1, _MOST_MS + 1],
            Keyspace("app:", TTL_SECONDS, "raw"),
            f"'pawsctl session list --never-expires' and {lists} show which.",
        ),
    ):
        with pytest.raises(OperationFailed) as caught:
            expiry.require_sound(counted(ttls_ms), keyspace)
        assert caught.value.hint == hint
