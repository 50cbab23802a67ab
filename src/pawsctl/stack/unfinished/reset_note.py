"""A note of a reset that has begun, kept until an empty Redis answers."""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec import Struct

from pawsctl.files.state_dir import usable

_FILE = "reset.json"
# Left if pawsctl is ended while it writes the note.
_UNFINISHED = f"{_FILE}.new"


class Begun(Struct, frozen=True):
    """A reset that began to delete `data` (names); `copy`, if any, holds the sessions of all."""

    copy: str | None
    data: frozenset[str]


def note(directory: Path, copy: str | None, data: Iterable[str]) -> None:
    """Note down that all of `data` is about to be deleted. The note is written atomically."""
    unfinished = directory / _UNFINISHED
    with usable(directory):
        unfinished.write_bytes(msgspec.json.encode(Begun(copy, frozenset(data))))
        unfinished.replace(directory / _FILE)


def noted(directory: Path) -> Begun | None:
    """Return the unfinished reset, or None; with its copy only if that still exists."""
    with usable(directory), suppress(FileNotFoundError, msgspec.DecodeError):
        found = msgspec.json.decode((directory / _FILE).read_bytes(), type=Begun)
        is_there = found.copy is not None and Path(found.copy).exists()
        return found if is_there else Begun(None, found.data)
    return None


def forget(directory: Path) -> None:
    """Remove the note: the reset has ended, or the data is in use again."""
    with usable(directory):
        for each in (_FILE, _UNFINISHED):
            (directory / each).unlink(missing_ok=True)
