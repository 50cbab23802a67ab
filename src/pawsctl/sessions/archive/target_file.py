"""The file to which an archive is written."""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pawsctl.files import atomic_file
from pawsctl.files.atomic_file import Write

# zlib's number for a window of 32 KB with a gzip header.
_GZIP_WINDOW = 31
# Level 1 compresses such values to a tenth and keeps up with Redis; 9 is ten times slower, with
# little gain.
_GZIP_LEVEL = 1


@contextmanager
def writing(path: Path, *, overwrite: bool) -> Iterator[Write]:
    """Yield a function that writes an archive to `path`, compressed if that ends in `.gz`.

    The file appears when it is complete, and only its owner can read it. Raises what
    `atomic_file.replacing` raises.
    """
    with atomic_file.replacing(path, private=True, overwrite=overwrite) as write:
        if path.suffix != ".gz":
            yield write
            return
        compressor = zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, _GZIP_WINDOW)
        yield lambda data: write(compressor.compress(data))
        write(compressor.flush())
