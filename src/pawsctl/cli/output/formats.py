"""Encode lists as JSON, JSON lines and CSV while their items arrive. Nothing here writes."""

import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain, islice, repeat, starmap
from operator import itemgetter
from types import NoneType
from typing import Any, TypeVar

import msgspec
from msgspec.structs import astuple

from pawsctl import escaping
from pawsctl.cli.output import Format
from pawsctl.escaping import Printable

Row = TypeVar("Row")
Values = Callable[[Sequence[Row]], Sequence[Sequence[Any]]]
"""Returns the fields of rows, each field with its values for all rows."""

# Items per write, and rows whose columns are made at once: each alone would cost more than the
# encoding.
BATCH = 200

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
    while some := list(islice(iterator, BATCH)):
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
        yield _csv_block(fields, values(some))
        some = list(islice(iterator, BATCH))


def _csv_block(fields: Sequence[str], columns: Sequence[Sequence[Any]]) -> bytes:
    """Return the lines of some rows, which are given column by column."""
    if len(columns) < 2:
        # An empty line would be no row.
        return _csv(zip(*map(_csv_cells, fields, columns), strict=True))
    *others, last = columns
    # The last has long texts; one emoji in them would make all others four times as large.
    begins = _plain_cells(fields, others)
    if begins is None:
        rows = zip(*map(_csv_column, fields, others), strict=True)
        begins = [",".join(row).encode() for row in rows]
    if type(last) is Printable and _BEFORE_FORMULA_BYTES.isdisjoint(map(_FIRST, last.encoded)):
        ends = [
            b'"' + text.replace(b'"', b'""') + b'"' if _COMMA in text or _QUOTE in text else text
            for text in last.encoded
        ]
    else:
        ends = list(map(str.encode, _csv_column(fields[-1], last)))
    return b"".join(chain.from_iterable(zip(begins, repeat(b","), ends, repeat(b"\n"))))


def _plain_cells(fields: Sequence[str], columns: Sequence[Sequence[Any]]) -> list[bytes] | None:
    """Return lines of cells; None if one is missing, a list, or has to be changed or quoted."""
    count, cells, texts = len(columns[0]), list[Sequence[Any]](), dict[str, Sequence[str]]()
    # A line has two brackets as JSON, and each of these cells two quotes.
    marks = 2
    for name, column in zip(fields, columns, strict=False):
        kind = type(column[0])
        if kind is NoneType and column.count(None) == count:
            cells.append([""] * count)
        else:
            cells.append(column)
            if kind is str:
                texts[name] = column
        marks += 2 * (kind in (str, datetime, NoneType))
    try:
        whole = "".join(chain.from_iterable(texts.values()))
    except TypeError:
        return None
    if not whole.isascii() or whole.encode().translate(None, _PLAIN):
        return None
    if not all(starmap(_are_no_formulas, texts.items())):
        return None
    # As JSON, whose quotes and brackets no text has: a third of the time of `str` for each.
    lines = msgspec.json.Encoder().encode_lines(list(zip(*cells, strict=True)))
    plain = lines.translate(None, b'"[]')
    # More marks went if one is a list.
    if b"null" in plain or len(lines) - len(plain) != marks * count:
        return None
    return plain.split(b"\n")


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
    try:
        firsts = set(map(_FIRST, texts))
    except IndexError:
        # An empty one.
        firsts = {text[:1] for text in texts}
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
    if isinstance(value, int | float):
        return str(value)
    # A spreadsheet has no lists in a cell.
    return escaping.json_line(msgspec.json.encode(value)).decode()


# Text that a spreadsheet would run as a formula, even after blanks; some also accept full-width and
# small signs, and the mathematical minus.
_SIGNS = "=+@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b\u2212-"
_FORMULA = re.compile(f"\\s*[{_SIGNS}]")
_FIRST = itemgetter(0)
# The only blank that is printable.
_BEFORE_FORMULA = {" ", *_SIGNS}
# As the first byte of UTF-8, which other characters may have, too.
_BEFORE_FORMULA_BYTES = {sign.encode()[0] for sign in _BEFORE_FORMULA}
# Text in which no cell needs quotes, and JSON no escapes.
_PLAIN = _HARMLESS.translate(None, b'"\\[],')
# Bytes are found six times as quickly by their numbers.
_COMMA, _QUOTE = b',"'
_NUMBER = re.compile(r"\+?[0-9]+", re.ASCII)


def _is_number(name: str, text: str) -> bool:
    """Return whether a text is a phone of plus and digits, which is harmless as a formula."""
    return name in ("phone", "key") and _NUMBER.fullmatch(text) is not None
