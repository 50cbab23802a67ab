"""Encode lists as JSON, JSON lines and CSV while their items arrive. Nothing here writes."""

import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

import msgspec
from msgspec.structs import astuple

from pawsctl import escaping

# Items per write: one write each would cost more than the encoding.
BATCH = 200

# Bytes that are safe on any terminal; escaping.json_line handles the rest.
_HARMLESS = bytes(range(0x20, 0x7F))


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


def csv_rows(items: Iterable[Any], fields: Sequence[str], *, batch: int = BATCH) -> Iterator[bytes]:
    """Yield a header, then a row for each item, `batch` of them at a time.

    The header has the first item's fields, or `fields` if there is no item.
    """
    # Saves 3 ms without -o csv.
    import csv

    def written(rows: Iterable[Iterable[str]]) -> bytes:
        buffer = io.StringIO()
        csv.writer(buffer, lineterminator="\n").writerows(rows)
        return buffer.getvalue().encode()

    iterator = iter(items)
    some = list(islice(iterator, 1))
    names = some[0].__struct_fields__ if some else fields
    if names:
        yield written([names])
    while some:
        yield written(map(_csv_cell, names, astuple(item)) for item in some)
        some = list(islice(iterator, batch))


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
_FORMULA = re.compile("\\s*[=+@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b\u2212-]")
_NUMBER = re.compile(r"\+?[0-9]+", re.ASCII)


def _is_number(name: str, text: str) -> bool:
    """Return whether a text is a phone of plus and digits, which is harmless as a formula."""
    return name in ("phone", "key") and _NUMBER.fullmatch(text) is not None
