"""The bytes of an archive from a file or stdin, readable repeatedly in constant memory."""

import sys
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import chain
from pathlib import Path
from typing import IO

from pawsctl import process_setup
from pawsctl.errors import OperationFailed, UsageError

STDIO = "-"

# Malloc takes larger pieces from the system and gives them back, one page fault after the other:
# with a megabyte, that takes as long as the checksum.
_CHUNK = 1 << 16
_GZIP_MAGIC = b"\x1f\x8b"
# What other compressed files begin with, and the commands that unpack them.
_OTHERS = {
    b"\x28\xb5\x2f\xfd": "zstd -dc",
    b"\xfd7zXZ\0": "xz -dc",
    b"BZh": "bzip2 -dc",
    b"\x04\x22\x4d\x18": "lz4 -dc",
    b"\x1f\x9d": "gzip -dc",
    b"PK\x03\x04": "unzip -p",
    b"7z\xbc\xaf\x27\x1c": "7z x -so",
}
# zlib's number for a window of 32 KB with a gzip header.
_GZIP_WINDOW = 31


class ArchiveSource:
    """An archive's bytes. Those from a pipe are saved to a temporary file as they are read."""

    def __init__(self, file: IO[bytes], spool: IO[bytes] | None, name: str) -> None:
        self.name = name
        self._file = file
        self._spool = spool

    def chunks(self) -> Iterator[bytes]:
        """Yield the bytes from the beginning, uncompressed. The first pass must go to the end.

        Raises OperationFailed if they can't be read, if compressed bytes are damaged or cut short
        or not gzip's, or if there is no room for a pipe's bytes in the temporary file.
        """
        stored = self._stored()
        first = next(stored, b"")
        everything = chain((first,), stored)
        # By its content and not by its name: it may come through a pipe.
        if not first.startswith(_GZIP_MAGIC):
            self._require_no_other(first)
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
        """Yield the same in blocks of whole lines; the last line may lack its newline."""
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
        """Yield the bytes as they are stored, from the beginning."""
        file, spool = self._file, self._spool
        if spool is None:
            file.seek(0)
        while chunk := self._read(file):
            if spool is not None:
                with _told_of_no_room():
                    spool.write(chunk)
            yield chunk
        if spool is not None:
            with _told_of_no_room():
                spool.flush()
            self._file, self._spool = spool, None

    def _require_no_other(self, first: bytes) -> None:
        for magic, command in _OTHERS.items():
            if first.startswith(magic):
                raise OperationFailed(
                    f"{self.name} is compressed by another program than gzip.",
                    hint=f"Nothing was changed. Have '{command}' unpack it, as into a pipe to -.",
                )

    def _read(self, file: IO[bytes]) -> bytes:
        try:
            return file.read(_CHUNK)
        except OSError as error:
            raise OperationFailed(
                f"{self.name} can't be read: {error.strerror}.",
                hint="Look at the disk that it is on, or at what sends it.",
            ) from error


@contextmanager
def opened(name: str) -> Iterator[ArchiveSource]:
    """Open the file `name`, or stdin for `-`.

    Raises UsageError if the file can't be read, OperationFailed if there is no room for a temporary
    one.
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
            with _told_of_no_room(), process_setup.undisturbed():
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
    """Yield uncompressed bytes in bounded pieces, of one gzip member after the other.

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
                # All input may have been read, and some output not yet returned.
                is_all = data or member.eof or len(piece) < _CHUNK
                piece = b"" if is_all else member.decompress(b"", _CHUNK)
    if not member.eof:
        raise EOFError("the compressed data ends too early")
