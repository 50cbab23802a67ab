"""Lists in the formats that programs read, written as their items come. Nothing here writes."""

import io
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import chain, islice
from typing import Any

import msgspec

from pawsctl import safe


def json_lines(items: Iterable[Any]) -> Iterator[bytes]:
    """Each item as JSON on a line of its own."""
    encode = msgspec.json.Encoder().encode
    for item in items:
        yield safe.json_line(encode(item)) + b"\n"


def json_array(items: Iterable[Any]) -> Iterator[bytes]:
    """One array, an item a line; it stays unclosed where the items fail."""
    encode, separator = msgspec.json.Encoder().encode, b"[\n"
    for item in items:
        yield separator + safe.json_line(encode(item))
        separator = b",\n"
    yield b"[]\n" if separator == b"[\n" else b"\n]\n"


def csv_rows(items: Iterable[Any]) -> Iterator[bytes]:
    """A header of the first item's fields, and a row for each item."""
    # 3 ms: only -o csv pays for it.
    import csv

    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")

    def written(cells: Iterable[str]) -> bytes:
        writer.writerow(cells)
        row = buffer.getvalue().encode()
        buffer.seek(0)
        buffer.truncate()
        return row

    iterator = iter(items)
    for first in islice(iterator, 1):
        names = first.__struct_fields__
        yield written(names)
        for item in chain([first], iterator):
            yield written(_csv_cell(name, getattr(item, name)) for name in names)


def _csv_cell(name: str, value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, str):
        text = safe.visible(value)
        # A spreadsheet would run it; a phone begins with + and is left alone.
        is_formula = name not in ("phone", "key") and text.startswith(("=", "+", "-", "@"))
        return "'" + text if is_formula else text
    return str(value)
