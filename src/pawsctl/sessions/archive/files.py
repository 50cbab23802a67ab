"""Where an archive lies: what writes one, and a stream of one that can be read twice."""

import gzip
import sys
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from shutil import copyfileobj
from typing import IO

from pawsctl import whole_file
from pawsctl.errors import OperationFailed, UsageError
from pawsctl.whole_file import Write

STDIO = "-"

_CHUNK = 1 << 20
_GZIP_MAGIC = b"\x1f\x8b"
# What zlib calls a window of 32 KB with a gzip header.
_GZIP_WINDOW = 31
# Level 1 makes a tenth of such values and keeps up with Redis; 9 is ten times slower for little.
_GZIP_LEVEL = 1

Stream = IO[bytes] | gzip.GzipFile


@contextmanager
def writing(path: Path, *, overwrite: bool) -> Iterator[Write]:
    """Yields what writes an archive to `path`, compressed where that ends in `.gz`.

    It is there when it is whole, and its owner's alone. Raises what `whole_file.replacing` raises.
    """
    with whole_file.replacing(path, private=True, overwrite=overwrite) as write:
        if path.suffix != ".gz":
            yield write
            return
        compressor = zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, _GZIP_WINDOW)
        yield lambda data: write(compressor.compress(data))
        write(compressor.flush())


@contextmanager
def twice_readable(name: str) -> Iterator[Stream]:
    """The bytes of a file, or of stdin for `-`, uncompressed, to be read and read again.

    What can't be rewound is kept in a temporary file meanwhile, not in memory. Raises UsageError
    where the file can't be read, OperationFailed where there is no room for the temporary one.
    """
    with ExitStack() as stack:
        if name == STDIO:
            source: IO[bytes] = sys.stdin.buffer
        else:
            try:
                source = stack.enter_context(Path(name).open("rb"))
            except (OSError, ValueError) as error:
                reason = getattr(error, "strerror", None) or str(error)
                raise UsageError(
                    f"{name} can't be read: {reason}.",
                    hint="Name a file that 'pawsctl session export' made, or - for stdin.",
                ) from error
        if not source.seekable():
            with _told_of_no_room():
                spool = stack.enter_context(tempfile.TemporaryFile())
                copyfileobj(source, spool, _CHUNK)
                spool.seek(0)
            source = spool
        # By what it holds and not by its name: it may come through a pipe.
        is_compressed = source.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
        source.seek(0)
        yield stack.enter_context(gzip.GzipFile(fileobj=source)) if is_compressed else source


@contextmanager
def _told_of_no_room() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OperationFailed(
            f"What comes in can't be kept in a temporary file meanwhile: {error.strerror}.",
            hint="Make room, set TMPDIR to a folder that has some, or name a file instead of -.",
        ) from error


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
