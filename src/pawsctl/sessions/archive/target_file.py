"""Where an archive is written to."""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pawsctl.files import atomic_file
from pawsctl.files.atomic_file import Write

# What zlib calls a window of 32 KB with a gzip header.
_GZIP_WINDOW = 31
# Level 1 makes a tenth of such values and keeps up with Redis; 9 is ten times slower for little.
_GZIP_LEVEL = 1


@contextmanager
def writing(path: Path, *, overwrite: bool) -> Iterator[Write]:
    """Yields what writes an archive to `path`, compressed where that ends in `.gz`.

    It is there when it is whole, and its owner's alone. Raises what `whole_file.replacing` raises.
    """
    with atomic_file.replacing(path, private=True, overwrite=overwrite) as write:
        if path.suffix != ".gz":
            yield write
            return
        compressor = zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, _GZIP_WINDOW)
        yield lambda data: write(compressor.compress(data))
        write(compressor.flush())
