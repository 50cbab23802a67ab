"""The file of the audit log, to which lines are only ever added.

A change has two lines of JSON with the same id: one that is on the disk before anything is changed,
and one with its end. A change without the second one was killed, or is still under way.
"""

import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated

import msgspec

from pawsctl.files import atomic_file, state_dir
from pawsctl.files.state_dir import Unusable

Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class ChangeBegun(msgspec.Struct, frozen=True, tag_field="event", tag="begun"):
    """A change that is about to be made.

    `options` are the names of the options given, without their values. `url` has no password.
    `phones` are keyed hashes of those that were named, LONGEST at most of `named` ones.
    """

    id: str
    at: Moment
    command: str
    options: list[str]
    url: str
    host: str
    profile: str | None
    user: str
    machine: str
    named: int
    phones: list[str]


class ChangeEnded(msgspec.Struct, frozen=True, tag_field="event", tag="ended"):
    """The end of a change: the exit status, and how many of what."""

    id: str
    at: Moment
    status: int
    counts: dict[str, int]


LONGEST = 1_000
"""The most phones in a line."""

_decoder = msgspec.json.Decoder(ChangeBegun | ChangeEnded)


def path() -> Path:
    """Return the file, whether it exists or not. Raises what `state_dir.path_of` raises."""
    return state_dir.path_of() / "audit.jsonl"


def add(line: ChangeBegun | ChangeEnded) -> None:
    """Add a line, which is on the disk when this returns. Raises Unusable, UsageError."""
    place = path()
    state_dir.made(place.parent)
    is_new = not place.exists()
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)
    with state_dir.usable(place.parent):
        descriptor = os.open(place, flags | getattr(os, "O_NOFOLLOW", 0), 0o600)
        try:
            data = msgspec.json.encode(line) + b"\n"
            if not _is_whole(descriptor):
                # The last writer was killed, or had no room for all of its line.
                data = b"\n" + data
            if os.write(descriptor, data) < len(data):
                raise Unusable(
                    f"{place} took only a part of a line.",
                    hint="Make room, or set XDG_STATE_HOME to a disk that has some.",
                )
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    if is_new:
        atomic_file.sync_folder(place.parent)


def _is_whole(descriptor: int) -> bool:
    """Return whether the file is empty or ends with a whole line."""
    if not os.fstat(descriptor).st_size:
        return True
    os.lseek(descriptor, -1, os.SEEK_END)
    return os.read(descriptor, 1) == b"\n"


def lines() -> Iterator[ChangeBegun | ChangeEnded]:
    """Yield the lines in their order; what is no line of the log is left out."""
    place = path()
    with state_dir.usable(place.parent):
        if not place.exists():
            return
        with place.open("rb") as file:
            for line in file:
                try:
                    yield _decoder.decode(line)
                except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                    continue
