"""Encode lists as JSON, JSON lines and CSV while their items arrive. Nothing here writes."""

import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from operator import itemgetter
from typing import Any, TypeVar

import msgspec
from msgspec.structs import astuple

from pawsctl import escaping
from pawsctl.cli.output import Format
from pawsctl.escaping import Printable

Row = TypeVar("Row")
Values = Callable[[Sequence[Row]], Sequence[Sequence[Any]]]
"""Returns the fields of rows, each field with its values for all rows."""

# Items per write: one write each would cost more than the encoding.
BATCH = 200

# Rows whose values are held at a time: more would not fit into the processor's cache.
_ROWS = 50

# Bytes that are safe on any terminal; escaping.json_line handles the rest.
_HARMLESS = bytes(range(0x20, 0x7F))


def written(
    output_format: Format,
    items: Iterable[Any],
    fields: Sequence[str],
    *,
    single: bool = False,
    batch: int = BATCH,
) -> Iterator[bytes]:
    """Yield a list in a format, `batch` items at a time; `fields` and `single` as for `rows`."""
    if output_format == "csv":
        return csv_rows(items, fields, batch=batch)
    if output_format == "json" and not single:
        return json_array(items, batch=batch)
    return json_lines(items, batch=batch)


def json_lines(items: Iterable[Any], *, batch: int = BATCH) -> Iterator[bytes]:
    """Yield each item as JSON on its own line, `batch` of them at a time."""
    return _encoded(items, batch)


def json_array(items: Iterable[Any], *, batch: int = BATCH) -> Iterator[bytes]:
    """Yield a JSON array with one item per line; it stays unclosed if the items raise."""
    yield from _array(items, batch)
    yield b"\n"


def json_report(name: str, items: Iterable[Any], summary: Callable[[], Any]) -> Iterator[bytes]:
    """Yield a JSON object: the items as an array under `name`, then the fields of `summary`."""
    yield b"{" + msgspec.json.encode(name) + b":"
    yield from _array(items, BATCH)
    yield b"," + escaping.json_line(msgspec.json.encode(summary()))[1:] + b"\n"


def _array(items: Iterable[Any], batch: int) -> Iterator[bytes]:
    separator = b"[\n"
    for lines in _encoded(items, batch):
        yield separator + lines[:-1].replace(b"\n", b",\n")
        separator = b",\n"
    yield b"[]" if separator == b"[\n" else b"\n]"


def _encoded(items: Iterable[Any], batch: int) -> Iterator[bytes]:
    """Yield JSON lines, each with its newline, `batch` of them at a time."""
    encoder, iterator = msgspec.json.Encoder(), iter(items)
    while some := list(islice(iterator, batch)):
        lines = encoder.encode_lines(some)
        if lines.translate(None, _HARMLESS) != b"\n" * len(some):
            lines = b"".join(escaping.json_line(encoder.encode(each)) + b"\n" for each in some)
        yield lines


def structs(rows: Iterable[Row], fields: Sequence[str], values: Values[Row]) -> Iterator[Any]:
    """Yield an object with those fields for each row."""
    made: Callable[..., Any] = msgspec.defstruct("Row", fields)
    iterator = iter(rows)
    while some := list(islice(iterator, _ROWS)):
        yield from map(made, *values(some))


def csv_rows(items: Iterable[Any], fields: Sequence[str], *, batch: int = BATCH) -> Iterator[bytes]:
    """Yield a header, then a row for each item, `batch` of them at a time.

    The header has the first item's fields, or `fields` if there is no item.
    """
    iterator = iter(items)
    some = list(islice(iterator, 1))
    names = some[0].__struct_fields__ if some else fields
    if names:
        yield _csv([names])
    while some:
        yield _csv(map(_csv_cell, names, astuple(item)) for item in some)
        some = list(islice(iterator, batch))


def csv_columns(rows: Iterable[Row], fields: Sequence[str], values: Values[Row]) -> Iterator[bytes]:
    """Yield the same as `csv_rows`, from values column by column."""
    iterator = iter(rows)
    some = list(islice(iterator, 1))
    yield _csv([fields])
    while some:
        columns = list(map(_csv_column, fields, values(some)))
        if len(columns) > 1:
            # Line by line: one emoji would make all others four times as large.
            lines = map(str.encode, map(",".join, zip(*columns, strict=True)))
            yield b"\n".join(lines) + b"\n"
        else:
            # An empty line would be no row.
            yield _csv(zip(*map(_csv_cells, fields, values(some)), strict=True))
        some = list(islice(iterator, _ROWS))


def _csv(rows: Iterable[Iterable[object]]) -> bytes:
    # Saves 3 ms without -o csv.
    import csv

    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(rows)
    return buffer.getvalue().encode()


def _csv_column(name: str, values: Sequence[Any]) -> Iterable[str]:
    """Return the cells of a column as `csv.writer` writes them."""
    kinds = set(map(type, values))
    if kinds == {int}:
        # A third of the time of `str` for each.
        return msgspec.json.encode(values).decode()[1:-1].split(",")
    if kinds == {type(None)}:
        return [""] * len(values)
    if kinds == {datetime}:
        # A year has four digits, and no date has a comma.
        return msgspec.json.encode(values).decode()[2:-2].split('","')
    are_printable, whole = type(values) is Printable, ""
    if kinds == {str} and not are_printable:
        whole = "".join(values)
        are_printable = escaping.is_printable(whole)
    if not (are_printable and _are_no_formulas(name, values)):
        values = _csv_cells(name, values)
    elif whole and '"' not in whole and "," not in whole:
        # As phones and keys are.
        return values
    return [
        '"' + text.replace('"', '""') + '"' if "," in text or '"' in text else text
        for text in values
    ]


def _csv_cells(name: str, values: Sequence[Any]) -> list[str]:
    return [_csv_cell(name, value) for value in values]


def _are_no_formulas(name: str, texts: Sequence[str]) -> bool:
    """Return True only if none of these printable texts is a formula."""
    firsts = set(map(_FIRST, texts))
    if _BEFORE_FORMULA.isdisjoint(firsts):
        return True
    if name != "phone" or firsts != {"+"}:
        return False
    whole = "".join(texts)
    # A phone has one +, and at least one digit after it.
    is_one_each = whole.count("+") == len(texts) and min(map(len, texts)) > 1
    return is_one_each and whole.isascii() and not whole.encode().translate(None, b"+0123456789")


def _csv_cell(name: str, value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, str):
        text = escaping.visible(value)
        return "'" + text if _FORMULA.match(text) and not _is_number(name, text) else text
    return str(value)


# Text that a spreadsheet would run as a formula, even after blanks; some also accept full-width and
# small signs, and the mathematical minus.
_SIGNS = "=+@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b\u2212-"
_FORMULA = re.compile(f"\\s*[{_SIGNS}]")
_FIRST = itemgetter(slice(1))
# The only blank that is printable.
_BEFORE_FORMULA = {" ", *_SIGNS}
_NUMBER = re.compile(r"\+?[0-9]+", re.ASCII)


def _is_number(name: str, text: str) -> bool:
    """Return whether a text is a phone of plus and digits, which is harmless as a formula."""
    return name in ("phone", "key") and _NUMBER.fullmatch(text) is not None
