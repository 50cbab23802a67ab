"""CSV column by column, against CSV cell by cell."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from pawsctl import escaping
from pawsctl.cli.output import formats

FIELDS = ("phone", "key", "words", "count", "time")
TEXT = st.none() | st.just("null") | st.text("+-=@ 1a,\"'ñ\uff0b\u202e\n٣[]\\", max_size=4)
WORDS = st.text("+-=@ 1a,\"'ñ\uff0b\u202e🐱", max_size=4)
TIME = (
    st.none()
    | st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))
    | st.just(datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=1))
)
Row = tuple[str | None, str | None, str | None, int | None, datetime | None]


def _columns(rows: Sequence[Row]) -> list[list[object]]:
    return [list(each) for each in zip(*rows, strict=True)]


@given(st.lists(st.tuples(TEXT, TEXT, TEXT, st.none() | st.integers(), TIME), max_size=5))
def test_csv_by_columns_is_csv_by_cells(rows: list[Row]) -> None:
    """With formulas, phones, quotes, nothing at all, and dates of any year."""
    made = msgspec.defstruct("Row", FIELDS)
    cells = b"".join(formats.csv_rows([made(*row) for row in rows], FIELDS))
    assert b"".join(formats.csv_columns(rows, FIELDS, _columns)) == cells


@given(st.lists(st.tuples(st.sampled_from(["+1", "a", "=", "ñ"]), WORDS), max_size=5))
def test_a_last_column_that_is_known_to_be_printable_is_as_any_other(
    rows: list[tuple[str, str]],
) -> None:
    """Also if it holds formulas."""
    made = msgspec.defstruct("Row", ("phone", "words"))
    cells = b"".join(formats.csv_rows([made(*row) for row in rows], ("phone", "words")))

    def columns(some: Sequence[tuple[str, str]]) -> list[Sequence[str]]:
        phones, words = zip(*some, strict=True)
        return [phones, escaping.printable(words) or words]

    assert b"".join(formats.csv_columns(rows, ("phone", "words"), columns)) == cells


@given(st.lists(TEXT, max_size=5))
def test_a_single_column_of_csv_has_a_row_for_nothing_too(texts: list[str | None]) -> None:
    """It is a pair of quotes."""
    made = msgspec.defstruct("Row", ("words",))
    cells = b"".join(formats.csv_rows([made(text) for text in texts], ("words",)))
    assert b"".join(formats.csv_columns(texts, ("words",), lambda rows: [rows])) == cells


def test_a_cell_that_holds_several_things_is_json() -> None:
    """Without what a terminal must not get."""
    made = msgspec.defstruct("Row", ("counts", "names"))
    cells = b"".join(formats.csv_rows([made({"written": 2}, ["a", "\u202e"])], ()))
    assert cells == b'counts,names\n"{""written"":2}","[""a"",""\\u202e""]"\n'
