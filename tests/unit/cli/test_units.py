"""Times and durations as text for people."""

from datetime import UTC, datetime, timedelta

import pytest

from pawsctl.cli.output import units

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (3_599, "59 min"),
        (7_199, "1 h"),
        (86_399, "23 h"),
        (86_400, "1 day"),
        (200_000, "2 days"),
    ],
)
def test_a_duration_has_its_largest_unit(seconds: float, text: str) -> None:
    """It is rounded down."""
    assert units.about(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s ago"),
        (-30, "0 s ago"),
        (-120, "in 2 min"),
        (100 * 86_400, "100 days ago"),
        (101 * 86_400, "2025-11-20"),
    ],
)
def test_a_moment_is_told_from_now(seconds: float, text: str) -> None:
    """A moment long ago has its date; a clock that is a little ahead is no future."""
    assert units.moment(NOW - timedelta(seconds=seconds), now=NOW) == text


def test_a_moment_without_a_reader_is_iso_8601() -> None:
    """A time that is not known is a dash."""
    assert units.moment(NOW) == "2026-03-01T12:00:00Z"
    assert units.moment(None) == units.moment(None, now=NOW) == "-"


def test_texts_of_numbers_are_made_once_and_forgotten_when_they_are_too_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """None has a dash."""
    monkeypatch.setattr(units, "_MOST_TEXTS", 2)
    made: list[int] = []

    def text(number: int) -> str:
        made.append(number)
        return str(number)

    texts = units.Texts(text)
    assert [texts[each] for each in (1, 1, None, 1, 2, 1, 1)] == ["1", "1", "-", "1", "2", "1", "1"]
    assert (made, len(texts)) == ([1, 2, 1], 2)
