"""Pseudonyms: the names of masked sessions, which no real phone or id has. Pure."""

import re
from collections.abc import Sequence

# A real phone has 15 digits at most, and no country code begins with 0.
PHONE = r"\+?0[0-9]{15}"
ID = r"masked-[0-9a-f]{16}"
BLOCK = "█"
"""The character that stands for each one of a text."""

# These alone are enough: no phone or id is like them.
_SURE = re.compile(rf"\+0[0-9]{{15}}|{ID}".encode())
# This may also be a phone with 00 for the +, or another application's number.
_UNSURE = re.compile(rb"0[0-9]{15}")
_BLOCK = BLOCK.encode()
_PHONE_IN_LINE = re.compile(rb'"phone"\s*:\s*"(?:\+?0[0-9]{15}|masked-)')
# The first bytes of nearly every line, as pawsctl writes it: they show that its phone is no such.
_FIRST_BYTES = 12
_ORDINARY = re.compile(rb'\{"phone":"(?!\+?0|ma)')
# Each pseudonym begins with one of these.
_FIRSTS = (b"+0", b"0", b"masked-")


def is_masked(key: bytes, value: bytes, prefix: str) -> bool:
    """Return whether a session under that prefix is masked, by its pseudonym.

    The pseudonym of a phone without a + may be a real number, too: blocks tell it from one. Such a
    session in which nothing was said is not recognised.
    """
    name = key.removeprefix(prefix.encode())
    return _SURE.fullmatch(name) is not None or (
        _BLOCK in value and _UNSURE.fullmatch(name) is not None
    )


def any_masked(keys: Sequence[bytes], values: Sequence[bytes | None], prefix: str) -> bool:
    """Return whether any of many sessions is masked; a call for each would take longer."""
    begin, joined = prefix.encode(), b"\n".join(keys)
    if not any(begin + first in joined for first in _FIRSTS):
        return False
    pairs = zip(keys, values, strict=True)
    return any(is_masked(key, value or b"", prefix) for key, value in pairs)


def may_hold_masked(lines: Sequence[bytes]) -> bool:
    """Return whether one of an archive's lines, whose beginnings are whole, may be masked."""
    # Of many lines, few begin differently: to search each would take thirty times as long.
    if all(map(_ORDINARY.match, {line[:_FIRST_BYTES] for line in lines})):
        return False
    return any(map(_PHONE_IN_LINE.search, lines))
