"""The bytes of an archive, from a file or stdin, to be read and read again in a flat memory."""

import sys
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import chain
from pathlib import Path
from typing import IO

from pawsctl.errors import OperationFailed, UsageError

STDIO = "-"

_CHUNK = 1 << 20
_GZIP_MAGIC = b"\x1f\x8b"
# What zlib calls a window of 32 KB with a gzip header.
_GZIP_WINDOW = 31


class ArchiveSource:
    """An archive's bytes. What comes through a pipe is kept in a temporary file as it is read."""

    def __init__(self, file: IO[bytes], spool: IO[bytes] | None, name: str) -> None:
        self.name = name
        self._file = file
        self._spool = spool

    def chunks(self) -> Iterator[bytes]:
        """Yields the bytes from the beginning, uncompressed. The first time goes to the end.

        Raises OperationFailed where compressed bytes are damaged or cut short, or where there is no
        room for those of a pipe.
        """
        stored = self._stored()
        first = next(stored, b"")
        everything = chain((first,), stored)
        # By what it holds and not by its name: it may come through a pipe.
        if not first.startswith(_GZIP_MAGIC):
            yield from everything
            return
        try:
            yield from _inflated(everything)
        except (EOFError, zlib.error) as error:
            raise OperationFailed(
                f"{self.name} is damaged or cut short: {error}.",
                hint="Nothing was changed. Use another archive.",
            ) from error

    def blocks(self) -> Iterator[bytes]:
        """Yields the same in blocks of whole lines; the last line may lack its end."""
        rest: list[bytes] = []
        for chunk in self.chunks():
            end = chunk.rfind(b"\n") + 1
            if end:
                yield b"".join((*rest, chunk[:end]))
                rest.clear()
            rest.append(chunk[end:])
        if last := b"".join(rest):
            yield last

    def _stored(self) -> Iterator[bytes]:
        """The bytes as they are stored."""
        file, spool = self._file, self._spool
        if spool is None:
            file.seek(0)
        while chunk := file.read(_CHUNK):
            if spool is not None:
                with _told_of_no_room():
                    spool.write(chunk)
            yield chunk
        if spool is not None:
            with _told_of_no_room():
                spool.flush()
            self._file, self._spool = spool, None


@contextmanager
def opened(name: str) -> Iterator[ArchiveSource]:
    """The bytes of a file, or of stdin for `-`.

    Raises UsageError where the file can't be read, OperationFailed where there is no room for a
    temporary one.
    """
    with ExitStack() as stack:
        if name == STDIO:
            file: IO[bytes] = sys.stdin.buffer
        else:
            try:
                file = stack.enter_context(Path(name).open("rb"))
            except (OSError, ValueError) as error:
                reason = getattr(error, "strerror", None) or str(error)
                raise UsageError(
                    f"{name} can't be read: {reason}.",
                    hint="Name a file that 'pawsctl session export' made, or - for stdin.",
                ) from error
        spool = None
        if not file.seekable():
            with _told_of_no_room():
                spool = stack.enter_context(tempfile.TemporaryFile())
        yield ArchiveSource(file, spool, "The archive on stdin" if name == STDIO else name)


@contextmanager
def _told_of_no_room() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OperationFailed(
            f"What comes in can't be kept in a temporary file meanwhile: {error.strerror}.",
            hint="Make room, set TMPDIR to a folder that has some, or name a file instead of -.",
        ) from error


def _inflated(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Uncompressed bytes, a bounded piece at a time, of one gzip file after the other.

    Raises zlib.error, EOFError.
    """
    member = zlib.decompressobj(_GZIP_WINDOW)
    for chunk in chunks:
        data = chunk
        while data:
            if member.eof:
                # Some media pad a file with zeros.
                data = data.lstrip(b"\0")
                if not data:
                    break
                member = zlib.decompressobj(_GZIP_WINDOW)
            piece = member.decompress(data, _CHUNK)
            data = member.unused_data if member.eof else member.unconsumed_tail
            while piece:
                yield piece
                # All may have been read, and not all been told.
                is_all = data or member.eof or len(piece) < _CHUNK
                piece = b"" if is_all else member.decompress(b"", _CHUNK)
    if not member.eof:
        raise EOFError("the compressed data ends too early")
