"""JSON as the bot's JavaScript reads and writes it. Pure.

Every number is a double: 12345678901234567890 is written as 12345678901234567000, and 1e400 is
Infinity, which is written as null.
"""

import json
import math
from decimal import Decimal
from typing import Any

from pawsctl.sessions.contract import decode, deep_json

# From here on, JavaScript writes a number with an exponent; below, with all its digits.
_EXPONENT_FROM = 1e21
_EXPONENT_BELOW = 1e-6
# An integer of so many digits is the same as a double.
_EXACT_DIGITS = 15


def parse(text: str) -> Any:
    """Return the value of a JSON text, its numbers as JavaScript has them. Raises ValueError."""
    return decode.parse(text, parse_int=_number, parse_float=_number)


def _number(word: str) -> int | float:
    if len(word) <= _EXACT_DIGITS and word.lstrip("-").isdigit():
        return int(word)
    value = float(word)
    if abs(value) >= _EXPONENT_FROM or value != math.floor(value):
        return value
    # Python's int(value) has digits that JavaScript doesn't write.
    return int(Decimal(repr(value)))


def dump(value: Any) -> bytes:
    """Return a value as compact JSON in ASCII; a number that is infinite becomes null."""
    try:
        return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()
    except (ValueError, RecursionError):
        return deep_json.dumps(_finite(value), ensure_ascii=True).encode()


def _finite(value: Any) -> Any:
    """Return a parsed value with null for infinite numbers, replaced in place; of any depth."""
    top = [value]
    left: list[Any] = [top]
    while left:
        each = left.pop()
        for place, inner in list(enumerate(each) if isinstance(each, list) else each.items()):
            if isinstance(inner, list | dict):
                left.append(inner)
            elif isinstance(inner, float) and math.isinf(inner):
                each[place] = None
    return top[0]


def is_truthy(value: Any) -> bool:
    """Return whether `if (value)` holds in JavaScript: empty lists and objects are true."""
    return isinstance(value, list | dict) or bool(value)


def as_text(value: Any) -> str:
    """Return a parsed value as `String(value)`. Raises RecursionError for lists in lists."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case list():
            return joined(value)
        case dict():
            return "[object Object]"
    return _number_text(value)


def joined(values: list[Any]) -> str:
    """Return `values.join(",")`, in which null is empty."""
    return ",".join("" if each is None else as_text(each) for each in values)


def _number_text(value: float) -> str:
    if isinstance(value, int):
        return str(value)
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if abs(value) < _EXPONENT_BELOW:
        return repr(value).replace("e-0", "e-")
    return repr(value) if abs(value) >= _EXPONENT_FROM else format(Decimal(repr(value)), "f")
