"""The views of sessions of any application. Nothing here writes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from pawsctl.cli.output.table import Column, Line
from pawsctl.cli.output.units import duration, size

if TYPE_CHECKING:
    from pawsctl.cli.context import Invocation
    from pawsctl.sessions.contract.keyspace import Keyspace
    from pawsctl.sessions.query.rows import Conversation

Row = TypeVar("Row")

# The rules that a value of another application breaks. They come before all others.
_OTHER_FORMATS = ("utf-8", "json", "shape")

_HEX_BYTES = 16
# Levels that are indented: thousands of them would be a megabyte of blanks.
_DEEPEST = 40


def titled(columns: Sequence[Column[Row]], keyspace: Keyspace) -> Sequence[Column[Row]]:
    """Return the columns with the titles that fit the sessions: another application's have ids."""
    if not keyspace.is_raw:
        return columns
    titles = {"PHONE": "ID", "LAST MESSAGE": "VALUE"}
    return [
        each._replace(title=titles.get(each.title, each.title))
        for each in columns
        if each.title != "MESSAGES"
    ]


def left_out(kinds: Sequence[str]) -> str:
    """Return a sentence on keys of other types, or '' if there are none."""
    return f"Left out, since only strings are sessions: {', '.join(kinds)}." if kinds else ""


def is_of_another_format(rule: str) -> bool:
    """Return whether a value that breaks this rule is no conversation; also of a problem's text."""
    return rule.partition(":")[0] in _OTHER_FORMATS


def format_hint(run: Invocation, strange: int, total: int) -> str:
    """Return a sentence on SESSION_FORMAT if no session under a prefix that was set is the bot's.

    `strange` of the `total` are of another format. '' if some are not, or somebody set the format.
    """
    is_set = not run.settings["SESSION_FORMAT"].is_default
    if is_set or run.session_settings.is_default_prefix or not 0 < total <= strange:
        return ""
    return "If these are another application's sessions, set SESSION_FORMAT=raw."


def value_view(found: Conversation) -> Iterator[Line]:
    """Render a session: what is known of it, then its value as JSON, as text, or as its bytes."""
    from pawsctl.sessions.contract import raw_value

    record = found.record
    if record is None:
        return
    yield [(found.phone or found.key.decode("utf-8", "backslashreplace"), "bold cyan")]
    facts = [f"expires in {duration(record.ttl)}" if record.ttl >= 0 else "never expires"]
    if record.value is not None:
        facts.append(size(record.size))
    yield [(" · ".join([record.type, *facts]), "")]
    for problem in found.problems:
        yield [(f"! {problem}", "red")]
    if record.value is None:
        return
    yield []
    value = raw_value.readable(record.value)
    match value.encoding:
        case "json":
            yield from ([(line, "")] for line in _indented(value.text))
        case "text":
            yield from ([(line, "")] for line in value.text.splitlines())
        case "hex":
            yield from _hex_lines(record.value)


# A string, an opening bracket with nothing in it, a bracket, a comma, a colon, or another value.
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[{]\s*[\]}]|[\[\]{},:]|[^\s\[\]{},:"]+')


def _indented(text: str) -> Iterator[str]:
    """Yield JSON in lines, one for each entry; strings and numbers are as they were stored."""
    line, depth = "", 0
    for found in _TOKEN.finditer(text):
        part = found[0]
        if part in "[{":
            depth += 1
            yield line + part
            line = _indent(depth)
        elif part in "]}":
            depth -= 1
            yield line
            line = _indent(depth) + part
        elif part == ",":
            yield line + part
            line = _indent(depth)
        else:
            line += ": " if part == ":" else part
    yield line


def _indent(depth: int) -> str:
    return "  " * min(depth, _DEEPEST)


def _hex_lines(value: bytes) -> Iterator[Line]:
    """Render bytes as hexdump does: offset, digits, and the letters among them."""
    for begin in range(0, len(value), _HEX_BYTES):
        part = value[begin : begin + _HEX_BYTES]
        letters = "".join(chr(each) if 0x20 <= each < 0x7F else "." for each in part)
        digits = part.hex(" ")
        yield [
            (f"{begin:08x}  ", "dim"),
            (f"{digits:<{_HEX_BYTES * 3 - 1}}  ", ""),
            (f"|{letters}|", "dim"),
        ]
