"""Where an archive lies: a file that is there whole or not at all, and one that is read twice."""

import gzip
import os
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryFile, mkstemp
from typing import IO, TypeVar

from pawsctl.errors import OperationFailed, UsageError

STDIO = "-"

_CHUNK = 1 << 20
_GZIP_MAGIC = b"\x1f\x8b"
# Level 1 makes a tenth of such values and keeps up with Redis; 9 is ten times slower for little.
_GZIP_LEVEL = 1
# A file's name may have 255 bytes, and the temporary one has some beside it.
_LONGEST_STEM = 100

Write = Callable[[bytes], object]
Stream = IO[bytes] | gzip.GzipFile
AnyStream = TypeVar("AnyStream", IO[bytes], gzip.GzipFile)


@contextmanager
def replacing(path: Path) -> Iterator[Write]:
    """Yields what writes to `path`, compressed where it ends in `.gz`; readable by its owner alone.

    The bytes go to another name in the same folder, which becomes `path` when all are on the disk,
    and is removed where anything fails. Raises UsageError where `path` is no file, OperationFailed
    where it can't be written.
    """
    path = path.resolve()
    if path.exists() and not path.is_file():
        raise UsageError(f"{path} is no file.", hint="Name a file, or - for stdout.")
    try:
        # mkstemp makes it with mode 0600.
        descriptor, name = mkstemp(
            prefix=f".{path.name[:_LONGEST_STEM]}.", suffix=".part", dir=path.parent
        )
    except OSError as error:
        raise _unwritable(path, error) from error
    unfinished = Path(name)
    try:
        with _closing(os.fdopen(descriptor, "wb"), path) as file:
            with _compressed(file, path) as stream:
                yield _write_to(stream, path)
            _finish(file, path)
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


@contextmanager
def _compressed(file: IO[bytes], path: Path) -> Iterator[Stream]:
    if path.suffix != ".gz":
        yield file
        return
    with _closing(gzip.GzipFile("", "wb", _GZIP_LEVEL, file), path) as stream:
        yield stream


@contextmanager
def _closing(stream: AnyStream, path: Path) -> Iterator[AnyStream]:
    """Close it at the end: what it holds back until then may be what the disk has no room for."""
    try:
        yield stream
    except BaseException:
        # It would try once more, and say the same.
        with suppress(OSError):
            stream.close()
        raise
    try:
        stream.close()
    except OSError as error:
        raise _unwritable(path, error) from error


def _write_to(stream: Stream, path: Path) -> Write:
    def write(data: bytes) -> None:
        try:
            stream.write(data)
        except OSError as error:
            raise _unwritable(path, error) from error

    return write


def _finish(file: IO[bytes], path: Path) -> None:
    try:
        file.flush()
        os.fsync(file.fileno())
    except OSError as error:
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: OSError) -> OperationFailed:
    return OperationFailed(
        f"{path} can't be written: {error.strerror}.",
        hint="Nothing was left there; name a file in another folder, or - for stdout.",
    )


@contextmanager
def twice_readable(name: str) -> Iterator[Stream]:
    """The bytes of a file, or of stdin for `-`, uncompressed, to be read and read again.

    What can't be rewound is kept in a temporary file meanwhile, not in memory. Raises UsageError
    where the file can't be read.
    """
    with ExitStack() as stack:
        if name == STDIO:
            source: IO[bytes] = sys.stdin.buffer
        else:
            try:
                source = stack.enter_context(Path(name).open("rb"))
            except OSError as error:
                raise UsageError(
                    f"{name} can't be read: {error.strerror}.",
                    hint="Name a file that 'pawsctl session export' made, or - for stdin.",
                ) from error
        if not source.seekable():
            spool = stack.enter_context(TemporaryFile())
            copyfileobj(source, spool, _CHUNK)
            spool.seek(0)
            source = spool
        # By what it holds and not by its name: it may come through a pipe.
        is_compressed = source.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
        source.seek(0)
        yield stack.enter_context(gzip.GzipFile(fileobj=source)) if is_compressed else source


def blocks(stream: Stream, name: str) -> Iterator[bytes]:
    """The stream from its beginning, in blocks of whole lines; the last line may lack its end.

    Raises OperationFailed where compressed bytes are damaged or cut short.
    """
    rest: list[bytes] = []
    try:
        stream.seek(0)
        while chunk := stream.read(_CHUNK):
            end = chunk.rfind(b"\n") + 1
            if end:
                yield b"".join((*rest, chunk[:end]))
                rest.clear()
            rest.append(chunk[end:])
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise OperationFailed(
            f"{name} is damaged or cut short: {error}.",
            hint="Nothing was changed. Use another archive.",
        ) from error
    if last := b"".join(rest):
        yield last
