"""Parsing and writing of JSON of any depth, without the recursion limit of `json`. Pure."""

import json
import re
from collections.abc import Callable, Iterator
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any, cast

_SPACE = re.compile(r"[ \t\n\r]*")
_SCALAR = re.compile(r"true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_CONSTANTS = {"true": True, "false": False, "null": None}


def loads(text: str, *, parse_int: Callable[[str], Any]) -> Any:
    """Return the value of a JSON text, as `json.loads` does. Raises ValueError if it is no JSON."""
    return _Parser(text, parse_int).whole()


class _Parser:
    def __init__(self, text: str, parse_int: Callable[[str], Any]) -> None:
        self._text = text
        self._parse_int = parse_int
        self._at = 0

    def whole(self) -> Any:
        top: list[Any] = []
        # Lists and objects that are not closed yet; `top` holds the value itself.
        inside: list[list[Any] | dict[str, Any]] = [top]
        while not top or len(inside) > 1:
            outer = inside[-1]
            name = None
            if outer is not top:
                if self._next() in "]}":
                    self._take("]" if isinstance(outer, list) else "}")
                    inside.pop()
                    continue
                if outer:
                    self._take(",")
                if isinstance(outer, dict):
                    name = self._string()
                    self._take(":")
            value = self._opened_or_scalar()
            if isinstance(outer, dict):
                outer[name or ""] = value
            else:
                outer.append(value)
            if isinstance(value, list | dict):
                inside.append(value)
        if self._next():
            raise json.JSONDecodeError("Extra data", self._text, self._at)
        return top[0]

    def _opened_or_scalar(self) -> Any:
        match self._next():
            case "[":
                self._at += 1
                return []
            case "{":
                self._at += 1
                return {}
            case '"':
                return self._string()
        found = _SCALAR.match(self._text, self._at)
        if found is None:
            raise json.JSONDecodeError("Expecting value", self._text, self._at)
        self._at = found.end()
        word = found[0]
        if word in _CONSTANTS:
            return _CONSTANTS[word]
        return self._parse_int(word) if word.lstrip("-").isdigit() else float(word)

    def _string(self) -> str:
        self._take('"')
        value, self._at = scanstring(self._text, self._at)
        return str(value)

    def _next(self) -> str:
        """Skip spaces and return the next character; empty at the end."""
        found = _SPACE.match(self._text, self._at)
        self._at = found.end() if found else self._at
        return self._text[self._at : self._at + 1]

    def _take(self, expected: str) -> None:
        if self._next() != expected:
            raise json.JSONDecodeError(f"Expecting '{expected}'", self._text, self._at)
        self._at += 1


def dumps(value: Any, *, ensure_ascii: bool = False) -> str:
    """Return a value as JSON on one line, as `json.dumps` does."""
    return "".join(_written(value, ensure_ascii))


def _written(value: Any, ensure_ascii: bool) -> Iterator[str]:
    # Iterators over the items not written yet, each with its closing bracket.
    inside: list[tuple[Iterator[Any], str]] = [(iter([value]), "")]
    is_first = True
    while inside:
        rest, end = inside[-1]
        item = next(rest, _END)
        if item is _END:
            yield end
            inside.pop()
            is_first = False
            continue
        if not is_first:
            yield ", "
        is_first = False
        if end == "}":
            name, item = cast("tuple[str, Any]", item)
            yield f"{json.dumps(name, ensure_ascii=ensure_ascii)}: "
        if isinstance(item, dict):
            yield "{"
            inside.append((iter(item.items()), "}"))
            is_first = True
        elif isinstance(item, list):
            yield "["
            inside.append((iter(item), "]"))
            is_first = True
        else:
            yield json.dumps(item, ensure_ascii=ensure_ascii)


_END: Any = object()
