"""Reading an archive: the whole of it is proved sound before the first session is handed out."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from pawsctl.errors import OperationFailed
from pawsctl.sessions.archive import files, layout
from pawsctl.sessions.archive.layout import Header, Rejected
from pawsctl.sessions.saved import Saved

Numbered = tuple[int, Saved | Rejected]


class Archive:
    """An archive that was found whole and unchanged."""

    def __init__(self, stream: files.Stream, name: str) -> None:
        self._stream = stream
        self.name = name
        self.header, self.count, self.checksum = self._verified()

    def batches(self, size: int) -> Iterator[list[Numbered]]:
        """Its sessions, at most `size` at a time, with the numbers of their lines."""
        number = 1
        for block in self._bodies():
            found = layout.read_lines(block)
            for begin in range(0, len(found), size):
                batch = found[begin : begin + size]
                yield list(enumerate(batch, number + 1))
                number += len(batch)

    def _bodies(self) -> Iterator[bytes]:
        """What stands between header and trailer."""
        is_first = True
        for block, _ in self._held_back():
            if block and is_first:
                is_first = False
                block = block[block.index(b"\n") + 1 :]  # noqa: PLW2901
            if block:
                yield block

    def _held_back(self) -> Iterator[tuple[bytes, bytes]]:
        """Blocks without the last line so far, each with that line: the last is the trailer."""
        held = b""
        for block in files.blocks(self._stream, self.name):
            end = block.rfind(b"\n", 0, len(block) - 1) + 1
            yield held + block[:end], block[end:]
            held = block[end:]

    def _verified(self) -> tuple[Header, int, str]:
        checksum = hashlib.sha256()
        lines, first, last = 0, b"", b""
        for block, line in self._held_back():
            first, last = first or block[: block.find(b"\n") + 1], line
            checksum.update(block)
            lines += block.count(b"\n")
        header = self._header(first or last)
        trailer = layout.read_line(last, layout.Trailer) if first else None
        if trailer is None:
            raise self._unusable("is cut short: its last line is not the trailer")
        if trailer.count != lines - 1:
            raise self._unusable(
                f"was changed: it should hold {trailer.count} sessions and holds {lines - 1}"
            )
        digest = f"sha256:{checksum.hexdigest()}"
        if trailer.checksum != digest:
            raise self._unusable("was changed: its checksum is not that of its content")
        return header, trailer.count, digest

    def _header(self, line: bytes) -> Header:
        header = layout.read_line(line, Header)
        if header is None or header.format != layout.FORMAT:
            raise self._unusable("is no archive of sessions: its first line is not the header")
        if header.version != layout.VERSION:
            raise OperationFailed(
                f"{self.name} has the format version {header.version}.",
                hint=f"This pawsctl reads version {layout.VERSION}; use a newer one.",
            )
        return header

    def _unusable(self, what: str) -> OperationFailed:
        return OperationFailed(
            f"{self.name} {what}.", hint="Nothing was changed. Use another archive."
        )


@contextmanager
def opened(name: str) -> Iterator[Archive]:
    """An archive by its file's name, or stdin for `-`.

    Raises UsageError where the file can't be read, OperationFailed where it is not sound.
    """
    with files.twice_readable(name) as stream:
        yield Archive(stream, "The archive on stdin" if name == files.STDIO else name)
