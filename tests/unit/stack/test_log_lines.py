"""Log lines assembled from chunks."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pawsctl.stack.engine.log_lines import Lines, split_stamp, stamp


@given(st.binary(), st.lists(st.integers(min_value=0, max_value=60)))
def test_where_chunks_end_changes_no_line(data: bytes, cuts: list[int]) -> None:
    """A chunk may end within a line, a line break or a character."""
    whole = Lines()
    expected = whole.feed(data) + whole.feed(b"", last=True)

    pieces = Lines()
    lines: list[str] = []
    at = 0
    for cut in cuts:
        lines += pieces.feed(data[at : at + cut])
        at += cut
    lines += pieces.feed(data[at:], last=True)

    assert lines == expected


@given(st.lists(st.text(st.characters(blacklist_characters="\r\n"))))
def test_every_line_comes_as_it_was_written(written: list[str]) -> None:
    """No complete character is lost."""
    data = "".join(f"{line}\n" for line in written).encode("utf-8", "replace")

    assert Lines().feed(data) == [
        line.encode("utf-8", "replace").decode("utf-8") for line in written
    ]


def test_an_unfinished_line_waits_for_its_end() -> None:
    """It is shown when it is complete, or at the end of the log."""
    lines = Lines()

    assert lines.feed(b"a\nb") == ["a"]
    assert lines.feed(b"c") == []
    assert lines.feed(b"", last=True) == ["bc"]


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-11-23T10:19:03.681819123Z", datetime(2026, 11, 23, 10, 19, 3, 681819, UTC)),
        ("2026-11-23T10:19:03Z", datetime(2026, 11, 23, 10, 19, 3, 0, UTC)),
        ("2026-11-23T10:19:03.5Z", datetime(2026, 11, 23, 10, 19, 3, 500_000, UTC)),
        ("2026-11-23T12:19:03.681+02:00", datetime(2026, 11, 23, 10, 19, 3, 681_000, UTC)),
    ],
)
def test_times_of_docker_and_of_valkey_are_read(text: str, time: datetime) -> None:
    """Nanoseconds and Z, or milliseconds and a zone."""
    assert stamp(text) == time


def test_what_is_no_time_stays_in_the_line() -> None:
    """A line without a time is kept whole."""
    assert split_stamp("hello 2026") == (None, "hello 2026")
    assert stamp("yesterday") is None


def test_a_time_is_taken_off_the_line() -> None:
    """One space after it goes too; further indentation stays."""
    assert split_stamp("2026-11-23T10:19:03Z   indented") == (
        datetime(2026, 11, 23, 10, 19, 3, 0, UTC),
        "  indented",
    )
