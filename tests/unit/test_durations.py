"""Durations as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pawsctl import durations


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("30m", 1_800),
        ("2h", 7_200),
        ("1d", 86_400),
        ("1w", 604_800),
        ("1h30m", 5_400),
        ("1.5h", 5_400),
        ("500ms", 0.5),
        ("0s", 0),
    ],
)
def test_what_people_write_is_understood(text: str, seconds: float) -> None:
    """Units may be combined."""
    assert durations.seconds(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "10", "m", "10x", "1h 30m", "-5m", "٣m", "1e3s", "9999999d", "5m!", ".5s"]
)
def test_what_could_mean_anything_is_refused(text: str) -> None:
    """For example, a number without a unit."""
    with pytest.raises(ValueError, match="'"):
        durations.seconds(text)


@given(st.integers(0, 99), st.integers(0, 99), st.integers(0, 99), st.integers(0, 99))
def test_parts_add_up(days: int, hours: int, minutes: int, seconds: int) -> None:
    """There may be any number of parts."""
    whole = days * 86_400 + hours * 3_600 + minutes * 60 + seconds
    assert durations.seconds(f"{days}d{hours}h{minutes}m{seconds}s") == whole


@given(st.text(max_size=12))
def test_no_text_is_more_than_refused(text: str) -> None:
    """Any text gives a number of seconds or a ValueError."""
    try:
        found = durations.seconds(text)
    except ValueError:
        return
    assert 0 <= found <= 100 * 365 * 86_400


@pytest.mark.parametrize(
    ("milliseconds", "seconds"),
    [(-1, -1), (-2, -2), (0, 0), (1, 0), (499, 0), (500, 1), (1_499, 1), (1_500, 2),
     (1_000_499_999, 1_000_500), (86_400_000, 86_400)],
)  # fmt: skip
def test_the_shortest_time_is_rounded_as_redis_does(milliseconds: int, seconds: int) -> None:
    """It stays what it is where there is none."""
    assert durations.whole_seconds(milliseconds) == seconds


def test_a_hundred_years_are_the_longest_time() -> None:
    """To the second."""
    assert durations.seconds("36500d") == 3_153_600_000
    with pytest.raises(ValueError, match="too long"):
        durations.seconds("36500d1s")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (21_600, "6 h"), (5_400, "1 h 30 min"), (90, "1 min 30 s"), (1_209_600, "14 d"),
        (86_461, "1 d 1 min 1 s"), (0, "0 s"),
    ],
)  # fmt: skip
def test_seconds_are_told_in_whole_units(seconds: int, text: str) -> None:
    """The largest first, and none that is 0."""
    assert durations.text(seconds) == text
