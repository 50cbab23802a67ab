"""Stored values of any application, as a person or a program can read them. Pure.

Nothing here builds objects from a value: a pickle, which could run code, is shown as its bytes.
"""

import json
from typing import Literal, NoReturn

import msgspec

from pawsctl.sessions.contract import deep_json

Encoding = Literal["json", "text", "hex"]

# Bytes of a value that a list shows the beginning of.
_PREVIEWED = 120
_WHITE = {"\t", "\n", "\r"}


class Readable(msgspec.Struct, frozen=True):
    """A value as text: JSON, other text, or else its bytes in hexadecimal."""

    encoding: Encoding
    text: str


def readable(value: bytes) -> Readable:
    """Return a value as it is best read."""
    text = _text(value)
    if text is None:
        return Readable("hex", value.hex())
    return Readable("json" if _is_json(text) else "text", text)


def preview(value: bytes) -> str:
    """Return the beginning of a value on one line, to tell values apart; … says that it is cut."""
    begin = value[:_PREVIEWED]
    more = "…" if len(value) > _PREVIEWED else ""
    # A letter of up to four bytes may be cut at the end.
    for cut in range(4 if len(value) > _PREVIEWED else 1):
        text = _text(begin[: len(begin) - cut])
        if text is not None:
            return " ".join(text.split()) + more
    return begin.hex() + more


def _text(value: bytes) -> str | None:
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return None
    is_text = all(each >= " " or each in _WHITE for each in text)
    return text if is_text else None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


def _is_json(text: str) -> bool:
    if text.startswith("\ufeff"):
        return False
    try:
        # Numbers of any length are valid: they are not converted.
        json.loads(text, parse_constant=_refuse, parse_int=str, parse_float=str)
    except RecursionError:
        try:
            deep_json.loads(text, parse_int=len)
        except ValueError:
            return False
    except ValueError:
        return False
    return True
