"""Lines of styled text, and tables made of them. Nothing here writes."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from pawsctl import escaping

if TYPE_CHECKING:
    from rich.style import Style

Span = tuple[str, str]
"""A text and its rich style; an empty style means plain text."""
Line = Sequence[Span]

Row = TypeVar("Row")

# Rows that are measured to find a table's widths; the rest streams.
MEASURED_ROWS = 200
_WIDTH_ELSEWHERE = 200
# The last column is cut to this before another is left out, and to less before others are cut.
_LEAST_ROOM = 15
_LEAST_LAST = 4
# If a table does not fit, cells that are longer are not usual: one long key pads no others.
_MOST_ROOM = 40
_NARROWEST = 3


class Column(NamedTuple, Generic[Row]):
    """A column of a text table; the last one is cut to the remaining width of the terminal.

    If a terminal is too narrow, columns are left out in the order of `gives_way`; those with 0
    stay. `texts` returns the texts of `cell` for many rows at once, for lists that may be long.
    `is_own` says that the texts are numbers and words of pawsctl's own, in ASCII: nothing in them
    needs to be escaped.
    """

    title: str
    cell: Callable[[Row], Span]
    right: bool = False
    gives_way: int = 0
    texts: Callable[[Sequence[Row]], Sequence[str]] | None = None
    is_own: bool = False


def table(rows: Iterable[Row], columns: Sequence[Column[Row]], room: int | None) -> Iterator[Line]:
    """Yield a line of titles, then one per row as rows arrive; nothing if there is no row.

    `room` is the terminal's width, in which every line fits. Without a terminal it is None: then
    no column is left out, and only the last one is cut.
    """
    iterator = iter(rows)
    measured = [_cells(row, columns) for row in islice(iterator, MEASURED_ROWS)]
    if not measured:
        return
    texts = [[row[index][0] for row in measured] for index in range(len(columns))]
    layout = Layout(columns, texts, room)
    yield layout.titles()
    for row in measured:
        yield layout.line([row[index] for index in layout.shown])
    columns = [columns[index] for index in layout.shown]
    for each in iterator:
        yield layout.line(_cells(each, columns))


def _cells(row: Row, columns: Sequence[Column[Row]]) -> list[Span]:
    return [(escaping.visible(text), style) for text, style in (each.cell(row) for each in columns)]


def _widths(
    measured: Sequence[Sequence[str]], columns: Sequence[Column[Any]], room: int
) -> list[int]:
    """Return the width of each column; if there is not room for all, that of its usual cells."""
    cells = [[columns_of(text) for text in column] for column in measured]
    natural = [max(len(each.title), *found) for each, found in zip(columns, cells, strict=True)]
    if _total(natural) <= room:
        return natural
    usual = [
        max([len(each.title), *(width for width in found if width <= _MOST_ROOM)])
        if min(found) <= _MOST_ROOM
        else _MOST_ROOM
        for each, found in zip(columns, cells, strict=True)
    ]
    return [*usual[:-1], natural[-1]]


def _shown(columns: Sequence[Column[Any]], widths: Sequence[int], room: int) -> list[int]:
    """Return the indexes of the columns that have room."""
    shown = list(range(len(columns)))
    least = [*widths[:-1], min(widths[-1], _LEAST_ROOM)]
    order = sorted(
        (index for index in shown if columns[index].gives_way),
        key=lambda index: columns[index].gives_way,
    )
    for index in order:
        if _total([least[each] for each in shown]) <= room:
            break
        shown.remove(index)
    return shown


def _total(widths: Sequence[int]) -> int:
    """Return the width of a table with columns of these widths."""
    return sum(widths) + 2 * (len(widths) - 1)


class Layout:
    """The columns of a table that have room, and their widths, in which its lines are laid out.

    `measured` are the escaped texts of the first rows, column by column. `shown` are the indexes of
    the columns that have room.
    """

    def __init__(
        self, columns: Sequence[Column[Any]], measured: Sequence[Sequence[str]], room: int | None
    ) -> None:
        widths = _widths(measured, columns, room or _WIDTH_ELSEWHERE)
        self.shown = [*range(len(columns))] if room is None else _shown(columns, widths, room)
        self.columns = [columns[index] for index in self.shown]
        widths = [widths[index] for index in self.shown]
        self.is_fitted = room is not None
        self.widths = list(widths[:-1])
        least = min(widths[-1], _LEAST_LAST)
        while room is not None and _total([*self.widths, least]) > room:
            widest = max(self.widths, default=0)
            if widest <= _NARROWEST:
                break
            self.widths[self.widths.index(widest)] -= 1
        self.last = (room or _WIDTH_ELSEWHERE) - sum(self.widths) - 2 * len(self.widths)
        if room is None:
            self.last = max(_LEAST_ROOM, self.last)
        # Padding aligns numbers in a last column.
        self.pad = min(widths[-1], self.last) if self.columns[-1].right else 0

    def titles(self) -> Line:
        """Return the line of titles."""
        return self.line([(column.title, "bold") for column in self.columns])

    def line(self, row: Sequence[Span]) -> Line:
        """Return a row as a line."""
        line: list[Span] = []
        last = self.last
        for (text, style), column, width in zip(row[:-1], self.columns, self.widths, strict=False):
            shown, more = text, columns_of(text) - width
            if more > 0 and self.is_fitted:
                if last - more >= _LEAST_LAST:
                    # A row below those that were measured is longer: it takes from the last column.
                    last -= more
                else:
                    shown = cut(text, width)
            line.append((padded(shown, width, right=column.right) + "  ", style))
        text, style = row[-1]
        return [*line, (padded(cut(text, last), self.pad, right=True), style)]


def padded(text: str, width: int, *, right: bool) -> str:
    """Return a text with blanks up to a width in terminal columns; 0 means none."""
    gap = " " * (width - columns_of(text)) if width else ""
    return gap + text if right else text + gap


def plain(line: Line) -> str:
    """Return the text of a line without its styles."""
    return "".join(text for text, _ in line)


def columns_of(text: str) -> int:
    """Return how many terminal columns a text takes."""
    if text.isascii() or _is_narrow(text):
        return len(text)
    # Saves 10 ms if no wide character is shown, such as an emoji.
    from rich.cells import cell_len

    return cell_len(text)


def _is_narrow(text: str) -> bool:
    """Return whether a text is Latin-1, and each character takes one column."""
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        return False
    # A soft hyphen and controls take none.
    return text.isprintable()


def cut(text: str, columns: int) -> str:
    """Return a text that takes at most that many columns; what is cut off ends in `…`."""
    # A character takes at most two columns, and rarely none.
    if 2 * len(text) <= columns:
        return text
    if columns < 1:
        return ""
    if len(text) <= 4 * columns and columns_of(text) <= columns:
        return text
    while text and columns_of(text) > columns - 1:
        text = text[: min(len(text) - 1, columns)]
    return text + "…"


def coloured(line: Line) -> str:
    """Return a line with its styles as escape sequences, and a newline."""
    return "".join(_escapes(style).render(text) if style else text for text, style in line) + "\n"


@cache
def _escapes(style: str) -> "Style":
    # Saves 10 ms without a terminal.
    from rich.style import Style

    return Style.parse(style)
