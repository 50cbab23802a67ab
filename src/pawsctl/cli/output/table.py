"""Lines of styled text, and tables made of them. Nothing here writes."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from pawsctl import escaping

if TYPE_CHECKING:
    from rich.style import Style

Span = tuple[str, str]
"""A text and its rich style; an empty style means plain text."""
Line = Sequence[Span]

Row = TypeVar("Row")

# Rows that are measured to find a table's widths; the rest streams.
_MEASURED_ROWS = 200
_LEAST_ROOM = 20


class Column(NamedTuple, Generic[Row]):
    """A column of a text table; the last one is cut to the remaining width of the terminal."""

    title: str
    cell: Callable[[Row], Span]
    right: bool = False


def table(rows: Iterable[Row], columns: Sequence[Column[Row]], width: int) -> Iterator[Line]:
    """Yield a line of titles, then one per row as rows arrive; nothing if there is no row.

    `width` is the terminal's, in columns.
    """

    def cells(row: Row) -> list[Span]:
        return [
            (escaping.visible(text), style) for text, style in (each.cell(row) for each in columns)
        ]

    iterator = iter(rows)
    measured = [cells(row) for row in islice(iterator, _MEASURED_ROWS)]
    if not measured:
        return
    widths = [
        max(len(column.title), *(_columns_of(row[index][0]) for row in measured))
        for index, column in enumerate(columns)
    ]
    room = max(_LEAST_ROOM, width - sum(widths[:-1]) - 2 * (len(widths) - 1))
    yield _padded([(column.title, "bold") for column in columns], columns, widths, room)
    for row in chain(measured, map(cells, iterator)):
        yield _padded(row, columns, widths, room)


def plain(line: Line) -> str:
    """Return the text of a line without its styles."""
    return "".join(text for text, _ in line)


def _padded(
    row: Sequence[Span], columns: Sequence[Column[Any]], widths: Sequence[int], room: int
) -> Line:
    line: list[Span] = []
    for (text, style), column, width in zip(row[:-1], columns, widths, strict=False):
        gap = " " * (width - _columns_of(text))
        line.append((gap + text + "  " if column.right else text + gap + "  ", style))
    text, style = row[-1]
    return [*line, (_cut(text, room), style)]


def _columns_of(text: str) -> int:
    """Return how many terminal columns a text takes."""
    if text.isascii():
        return len(text)
    # Saves 10 ms for ASCII; most tables are, except for names and emoji.
    from rich.cells import cell_len

    return cell_len(text)


def _cut(text: str, columns: int) -> str:
    # A character takes at most two columns, and rarely none.
    if 2 * len(text) <= columns:
        return text
    if len(text) <= 4 * columns and _columns_of(text) <= columns:
        return text
    while text and _columns_of(text) > columns - 1:
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
