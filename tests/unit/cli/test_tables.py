"""Tables of text, in terminals of several widths and in a pipe."""

import pytest

from pawsctl.cli.output.table import Column, columns_of, plain, table

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
