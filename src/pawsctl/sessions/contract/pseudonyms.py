"""Pseudonyms: the names of masked sessions, which no real phone or id has. Pure."""

import re
from collections.abc import Sequence

# A real phone has 15 digits at most, and no country code begins with 0.
PHONE = r"\+?0[0-9]{15}"
ID = r"masked-[0-9a-f]{16}"
BLOCK = "█"
"""The character that stands for each one of a text."""

_NAME = re.compile(f"{PHONE}|{ID}".encode())
_BLOCK = BLOCK.encode()
# Each pseudonym begins with one of these.
_FIRSTS = (b"+0", b"0", b"masked-")


def is_masked(key: bytes, value: bytes, prefix: str) -> bool:
    """Return whether a session under that prefix is masked: a pseudonym, and blocks for texts.

    One in which nothing was said has no blocks and is not recognised. The sessions of
    `pawsctl test-session` have such names, too, and no blocks.
    """
    return _NAME.fullmatch(key.removeprefix(prefix.encode())) is not None and _BLOCK in value


def any_masked(keys: Sequence[bytes], values: Sequence[bytes | None], prefix: str) -> bool:
    """Return whether any of many sessions is masked; a call for each would take longer."""
    begin, joined = prefix.encode(), b"\n".join(keys)
    if not any(begin + first in joined for first in _FIRSTS):
        return False
    pairs = zip(keys, values, strict=True)
    return any(is_masked(key, value or b"", prefix) for key, value in pairs)


def may_hold_masked(lines: bytes) -> bool:
    """Return whether a line of an archive, of which this is a part, may be of a masked session.

    Few other texts have a block, and fewest its last byte, which is found ten times as quickly.
    """
    return _BLOCK[-1:] in lines and _BLOCK in lines
