"""Places in a JSON text: members of objects and items of lists, without changing a byte. Pure.

The texts must be JSON; of any depth, since nothing here recurses.
"""

import json
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{},:]|[^\s"\[\]{},:]+', re.DOTALL)
_SPACES = re.compile(r"[ \t\n\r]*")
_LONE = re.compile("[\ud800-\udfff]")


class _Child(NamedTuple):
    name: str | None
    begin: int
    end: int


class Items(NamedTuple):
    """A text around the items of a list in it; an item has the spaces around it."""

    before: str
    items: list[str]
    after: str

    def with_items(self, items: Sequence[str]) -> str:
        """Return the text with other items in the list."""
        return self.before + ",".join(items) + self.after


def begin_of(text: str) -> int:
    """Return the index at which the value of a text begins."""
    return _after_spaces(text, 0)


def member(text: str, name: str) -> tuple[int, int] | None:
    """Return the indexes at which a member's value begins and ends, in a text that is an object.

    Of several members with this name the last one counts, as for JSON.parse. None if there is none.
    """
    found = [each for each in _children(text, begin_of(text)) if each.name == name]
    return (found[-1].begin, found[-1].end) if found else None


def items(text: str, begin: int) -> Items:
    """Return the items of the list that begins at an index of the text."""
    found, start, end = [], begin + 1, begin + 1
    for child in _children(text, begin):
        comma = _after_spaces(text, child.end)
        found.append(text[start:comma])
        start, end = comma + 1, comma
    return Items(text[: begin + 1], found, text[end:])


def compact(text: str) -> str:
    """Return the text on one line without spaces, every number and string as it is written."""
    return "".join(token[0] for token in _TOKEN.finditer(text))


def pretty(text: str) -> str:
    """Return the text indented, every number and string as it is written, with a last newline."""
    parts: list[str] = []
    depth, before = 0, ""
    for token in _TOKEN.finditer(text):
        word = token[0]
        is_end = word in ("]", "}")
        depth -= is_end
        if (before in ("[", "{", ",") or is_end) and not (is_end and before in ("[", "{")):
            parts.append("\n" + "  " * depth)
        parts.append(": " if word == ":" else word)
        depth += word in ("[", "{")
        before = word
    return "".join(parts) + "\n"


def string(text: str) -> str:
    r"""Return a text as a JSON string, as JSON.stringify writes it: lone surrogates as `\ud83d`."""
    encoded = json.dumps(text, ensure_ascii=False)
    return _LONE.sub(lambda found: f"\\u{ord(found[0]):04x}", encoded)


def _after_spaces(text: str, begin: int) -> int:
    # Not `lstrip`, which would copy the rest of the text.
    found = _SPACES.match(text, begin)
    return found.end() if found else begin


def _children(text: str, begin: int) -> Iterator[_Child]:
    """Yield the values directly in the list or object that begins at an index."""
    depth, name, start, last = 0, None, -1, -1
    for token in _TOKEN.finditer(text, begin):
        word = token[0]
        if word in ("]", "}"):
            depth -= 1
            if not depth:
                if start >= 0:
                    yield _Child(name, start, last)
                return
        elif depth == 1 and word == ",":
            yield _Child(name, start, last)
            name, start = None, -1
            continue
        elif depth == 1 and word == ":":
            name, start = json.loads(text[start:last], strict=False), -1
            continue
        if depth == 1 and start < 0:
            start = token.start()
        if word in ("[", "{"):
            depth += 1
        last = token.end()
