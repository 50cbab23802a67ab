"""The file to which an archive is written."""

import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pawsctl.errors import UsageError
from pawsctl.files import atomic_file
from pawsctl.files.atomic_file import Write

# zlib's number for a window of 32 KB with a gzip header.
_GZIP_WINDOW = 31
# Level 1 compresses such values to a tenth and keeps up with Redis; 9 is ten times slower, with
# little gain.
_GZIP_LEVEL = 1
_GZIP_SUFFIX = ".gz"
# What names of compressed files and of collections of files end in, in any case.
_SUFFIXES = re.compile(
    r"(?:\.(?:gz|gzip|tgz|z|taz|bz2?|tbz2?|xz|txz|lzma|tlz|lz|lz4|lzo|zstd?|tzst|br|sz|zip|7z|rar"
    r"|tar))+$",
    re.IGNORECASE,
)


@contextmanager
def writing(path: Path, *, overwrite: bool) -> Iterator[Write]:
    """Yield a function that writes an archive to `path`, compressed if that ends in `.gz`.

    The file appears when it is complete, and only its owner can read it. Raises UsageError for a
    name that says that the file is something else, and what `atomic_file.replacing` raises.
    """
    is_compressed = _is_compressed(path.name)
    with atomic_file.replacing(path, private=True, overwrite=overwrite) as write:
        if not is_compressed:
            yield write
            return
        compressor = zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, _GZIP_WINDOW)
        yield lambda data: write(compressor.compress(data))
        write(compressor.flush())


def _is_compressed(name: str) -> bool:
    """Return whether a file of that name is one of gzip.

    Raises UsageError if its name says that it is compressed otherwise, or a collection of files.
    """
    found = _SUFFIXES.search(name)
    if found is None:
        return False
    if found[0].lower() == _GZIP_SUFFIX:
        return True
    begin = name[: found.start()] or "sessions"
    instead = begin + (_GZIP_SUFFIX if "." in begin else f".jsonl{_GZIP_SUFFIX}")
    raise UsageError(
        f"{name} ends in {found[0]}, and an archive is plain JSON lines, or those in gzip.",
        hint=f"Name it {instead}, or write to - and have another program pack that.",
    )
