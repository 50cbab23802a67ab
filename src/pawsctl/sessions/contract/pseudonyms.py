"""Pseudonyms: the names of masked sessions, which no real phone or id has. Pure."""

import re

# A real phone has 15 digits at most, and no country code begins with 0.
PHONE = r"\+?0[0-9]{15}"
ID = r"masked-[0-9a-f]{16}"
BLOCK = "█"
"""The character that stands for each one of a text."""

_NAME = re.compile(f"{PHONE}|{ID}".encode())
_LINE = re.compile(rf'"phone":"(?:{PHONE}|{ID})"'.encode())
_BLOCK = BLOCK.encode()


def is_masked(key: bytes, value: bytes, prefix: str) -> bool:
    """Return whether a session under that prefix is masked: a pseudonym, and blocks for texts.

    One in which nothing was said has no blocks and is not recognised. The sessions of
    `pawsctl test-session` have such names, too, and no blocks.
    """
    return _NAME.fullmatch(key.removeprefix(prefix.encode())) is not None and _BLOCK in value


def may_stand_in(lines: bytes) -> bool:
    """Return whether a line of an archive among these may be of a masked session."""
    return _LINE.search(lines) is not None
