"""Tables of text, in terminals of several widths and in a pipe."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from pawsctl import escaping
from pawsctl.cli.output.plain_table import blocks
from pawsctl.cli.output.table import MEASURED_ROWS, Column, columns_of, plain, table

Row = tuple[str, str, str, str]

COLUMNS: tuple[Column[Row], ...] = (
    Column("NAME", lambda row: (row[0], "")),
    Column("STATE", lambda row: (row[1], ""), gives_way=2),
    Column("SIZE", lambda row: (row[2], ""), right=True, gives_way=1),
    Column("WORDS", lambda row: (row[3], "")),
)
ROW: Row = ("+59899000001", "active", "786 B", "buenas noches, ¿hay alguien? 🐶 gracias")


def lines(rows: list[Row], room: int | None) -> list[str]:
    """Return the lines of a table without their trailing blanks."""
    return [plain(line).rstrip() for line in table(rows, COLUMNS, room)]


@pytest.mark.parametrize(
    ("room", "titles"),
    [
        (100, ["NAME", "STATE", "SIZE", "WORDS"]),
        (45, ["NAME", "STATE", "SIZE", "WORDS"]),
        (41, ["NAME", "STATE", "WORDS"]),
        (30, ["NAME", "WORDS"]),
        (20, ["NAM…", "WORDS"]),
    ],
)
def test_columns_give_way_in_their_order(room: int, titles: list[str]) -> None:
    """The last column is cut, then columns are left out, then cells are cut."""
    shown = lines([ROW] * 3, room)
    assert shown[0].split()[:1] == titles[:1] or room == 20
    assert shown[0].split()[1:] == titles[1:]
    assert max(map(columns_of, shown)) <= room


def test_a_pipe_gets_every_column() -> None:
    """Without a terminal, only what exceeds 200 columns of the last one is cut."""
    assert lines([ROW], None)[1] == "+59899000001  active  786 B  " + ROW[3]


def test_one_long_name_pads_no_other_row() -> None:
    """On a terminal it is cut; in a pipe it is whole, and the other rows stay as they are."""
    long: Row = ("+" + "9" * 65_536, "active", "2 B", "hola")
    usual = lines([ROW], 80)
    assert lines([ROW, long], 80)[:2] == usual
    assert max(map(columns_of, lines([ROW, long], 80))) <= 80
    _, first, second = lines([ROW, long], None)
    assert first == lines([ROW], None)[1]
    assert second.startswith(long[0] + "  active")


def test_a_row_that_comes_late_may_be_longer() -> None:
    """Widths are those of the first rows: a later one takes its room from the last column."""
    late: Row = ("+5989900000123456", *ROW[1:])
    *_, last = lines([ROW] * 300 + [late], 60)
    assert last.startswith("+5989900000123456  active  786 B  buenas")
    assert columns_of(last) <= 60


def test_numbers_in_the_last_column_stand_in_line() -> None:
    """They end where their title ends, if that is longer."""
    columns = (COLUMNS[0], Column[Row]("SECONDS", lambda row: (row[2], ""), right=True))
    assert [plain(line) for line in table([ROW], columns, 80)] == [
        "NAME          SECONDS",
        "+59899000001    786 B",
    ]


WORDS = st.text("ab ñ\u0301日👩👧\u200d\ufe0f\u202e\t\xad", max_size=30)


@given(
    st.lists(st.tuples(WORDS, WORDS, WORDS, WORDS), max_size=12),
    st.sampled_from([None, 5, 20, 60]),
    st.integers(1, 4),
)
def test_many_rows_at_once_are_laid_out_as_one_by_one(
    odd: list[Row], room: int | None, count: int
) -> None:
    """Among the first rows, by which the widths are chosen, and after them."""
    rows = [*odd[::2], *[ROW] * MEASURED_ROWS, *odd[1::2]]
    columns = COLUMNS[-count:]
    one_by_one = [
        "".join(escaping.visible(text) for text, _ in line) + "\n"
        for line in table(rows, columns, room)
    ]
    assert b"".join(blocks(rows, columns, room)) == "".join(one_by_one).encode()


def test_rows_that_came_before_a_failure_are_shown() -> None:
    """The last block has fewer rows."""

    def rows() -> Iterator[Row]:
        yield from [ROW] * (MEASURED_ROWS + 70)
        raise KeyError

    shown: list[bytes] = []
    with pytest.raises(KeyError):
        shown.extend(blocks(rows(), COLUMNS, None))
    assert b"".join(shown).count(b"buenas") == MEASURED_ROWS + 70


def test_a_printable_character_of_latin_1_takes_one_column() -> None:
    """Its width is not looked up; that of a soft hyphen is."""
    printable = [chr(code) for code in range(256) if chr(code).isprintable()]
    assert {cell_len(each) for each in printable} == {1}
    assert [columns_of(each) for each in ("\xad", "ñ\xad", "日ñ", "👩\u200d👧")] == [
        cell_len(each) for each in ("\xad", "ñ\xad", "日ñ", "👩\u200d👧")
    ]
