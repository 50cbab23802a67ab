"""The lines of `table` as plain text, many rows at once. Nothing here writes."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice, repeat
from typing import TypeVar

from pawsctl import escaping
from pawsctl.cli.output.table import MEASURED_ROWS, Column, Layout, cut, padded, plain
from pawsctl.escaping import Printable

Row = TypeVar("Row")

# A reader of a pipe waits for that many rows at most.
_ROWS = 200


def blocks(
    rows: Iterable[Row], columns: Sequence[Column[Row]], room: int | None
) -> Iterator[bytes]:
    """Yield the text of a table in blocks of lines as rows arrive; nothing if there is no row.

    `room` is as in `table`. If the rows raise, those that came before are yielded first.
    """
    iterator = iter(rows)
    first = list(islice(iterator, MEASURED_ROWS))
    if not first:
        return
    measured = [_texts(column, first) for column in columns]
    layout = Layout(columns, measured, room)
    template = _template(layout)
    yield _line(layout, [column.title for column in layout.columns]).encode()
    yield _block(layout, template, [measured[index] for index in layout.shown])
    some: list[Row] = []
    while True:
        some.clear()
        try:
            # extend() keeps the rows that came before an exception.
            some.extend(islice(iterator, _ROWS))
        finally:
            if some:
                yield _block(layout, template, [_texts(each, some) for each in layout.columns])
        if len(some) < _ROWS:
            return


def _texts(column: Column[Row], rows: Sequence[Row]) -> Sequence[str]:
    """Return the escaped cells of a column."""
    texts: Sequence[str]
    if column.texts is not None:
        texts = column.texts(rows)
    else:
        texts = [column.cell(row)[0] for row in rows]
    if column.is_own or type(texts) is Printable or escaping.is_printable("".join(texts)):
        return texts
    return [escaping.visible(text) for text in texts]


def _template(layout: Layout) -> str:
    """Return a format for rows in which each cell but the last is as wide as it is long."""
    parts = [
        f"%{'' if column.right else '-'}{width or ''}s  "
        for column, width in zip(layout.columns, layout.widths, strict=False)
    ]
    return "".join(parts)


def _block(layout: Layout, template: str, cells: Sequence[Sequence[str]]) -> bytes:
    """Return the lines of rows, whose cells are given column by column."""
    *before, last = cells
    for texts, width, column in zip(before, layout.widths, layout.columns, strict=False):
        is_narrow = not layout.is_fitted or max(map(len, texts)) <= width
        if not (is_narrow and (column.is_own or "".join(texts).isascii())):
            return "".join([_line(layout, row) for row in zip(*cells, strict=True)]).encode()
    # Each by itself: one emoji would make all others four times as large.
    ends = last.encoded if type(last) is Printable else [text.encode() for text in last]
    # No character takes more columns than it has bytes.
    if max(map(len, ends)) > layout.last or layout.pad:
        ends = [_end(layout, text).encode() for text in last]
    begins: Iterable[bytes] = repeat(b"")
    if before:
        begins = "\n".join(map(template.__mod__, zip(*before, strict=True))).encode().split(b"\n")
    return b"".join(chain.from_iterable(zip(begins, ends, repeat(b"\n"))))


def _end(layout: Layout, text: str) -> str:
    """Return the cell of the last column as it is shown."""
    if len(text.encode()) > layout.last:
        # A joiner between two emoji may join nothing at the cut.
        text = escaping.visible(cut(text, layout.last))
    return padded(text, layout.pad, right=True) if layout.pad else text


def _line(layout: Layout, cells: Sequence[str]) -> str:
    line = layout.line([(text, "") for text in cells])
    return plain([(escaping.visible(text), style) for text, style in line]) + "\n"
