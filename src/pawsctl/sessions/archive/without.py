"""Removing one session from an archive; every other line stays as it is."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import msgspec

from pawsctl.sessions.archive import jsonl_format, source_file, target_file
from pawsctl.sessions.archive.read import Archive
from pawsctl.sessions.contract.saved import Saved


class Lines(msgspec.Struct, frozen=True):
    """The number of a key's lines in an archive, and the URL of the Redis that it is from."""

    count: int
    source: str


class _Content:
    """The lines of a verified archive: its header, and each session's line."""

    def __init__(self, archive: Archive, header: bytes, sessions: Iterator[bytes]) -> None:
        self.header, self.sessions = header, sessions
        self.source = archive.header.source
        self._prefix = archive.prefix

    def is_of(self, line: bytes, key: bytes) -> bool:
        """Return whether a line is that of the key's session."""
        (found,) = jsonl_format.read_lines(line, self._prefix, undo=True)
        return isinstance(found, Saved) and found.key == key


def lines_of(path: Path, key: bytes) -> Lines:
    """Return how many lines of an archive are of that key, and where it is from.

    Raises UsageError if the file can't be read, OperationFailed if it is no sound archive.
    """
    with _opened(path) as lines:
        return Lines(sum(lines.is_of(line, key) for line in lines.sessions), lines.source)


def remove(path: Path, key: bytes) -> int:
    """Rewrite an archive without the lines of that key; return how many there were.

    An archive that has no other line is removed. Raises what `lines_of` raises, and OperationFailed
    if there is no room.
    """
    kept = removed = 0
    checksum = hashlib.sha256()
    with _opened(path) as lines, target_file.writing(path, overwrite=True) as write:
        checksum.update(lines.header)
        write(lines.header)
        for line in lines.sessions:
            if lines.is_of(line, key):
                removed += 1
                continue
            kept += 1
            checksum.update(line)
            write(line)
        write(jsonl_format.trailer(kept, f"sha256:{checksum.hexdigest()}"))
    if removed and not kept:
        path.unlink(missing_ok=True)
    return removed


@contextmanager
def _opened(path: Path) -> Iterator[_Content]:
    with source_file.opened(str(path)) as source:
        archive = Archive(source)
        every = (line for block in source.blocks() for line in _lines(block))
        header = next(every)
        # The trailer is the one line more.
        yield _Content(archive, header, islice(every, archive.count))


def _lines(block: bytes) -> list[bytes]:
    # Not `splitlines`, which divides lines at a carriage return too.
    return [line + b"\n" for line in block.removesuffix(b"\n").split(b"\n")]
