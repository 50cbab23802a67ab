"""Read POSIX access control lists, which Linux stores as an extended attribute of a file."""

import os
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

Kind = Literal["user", "owning group", "group"]

_ATTRIBUTE = "system.posix_acl_access"
_HEADER, _ENTRY = struct.Struct("<I"), struct.Struct("<HHI")
_KINDS: dict[int, Kind] = {0x02: "user", 0x04: "owning group", 0x08: "group"}
_MASK = 0x10
_WRITE = 0x02


def writers(path: Path) -> list[tuple[Kind, int]] | None:
    """Return who besides the owner may write to a file by its list, or None if it has no list.

    The number is the id of a user or group; it is meaningless for the owning group.
    """
    if sys.platform != "linux":
        return None
    try:
        value = os.getxattr(path, _ATTRIBUTE, follow_symlinks=False)
    except OSError:
        return None
    return list(_writing(value))


def _writing(value: bytes) -> Iterator[tuple[Kind, int]]:
    entries = list(_ENTRY.iter_unpack(value[_HEADER.size :]))
    mask = next((may for tag, may, _ in entries if tag == _MASK), _WRITE)
    for tag, may, number in entries:
        if tag in _KINDS and may & mask & _WRITE:
            yield _KINDS[tag], number
