"""A file that is there whole or not at all."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkstemp

from pawsctl.errors import OperationFailed, UsageError

# A file's name may have 255 bytes, and the temporary one has some beside it.
_LONGEST_STEM = 100

Write = Callable[[bytes], object]


@contextmanager
def replacing(path: Path, *, private: bool) -> Iterator[Write]:
    """Yields what writes to `path`, or to the file that a symbolic link there leads to.

    The bytes go to another name in the same folder, which becomes `path` when all are on the disk,
    and is removed where anything fails. A `private` file is its owner's alone (0600), another is
    what the umask makes of it. Raises UsageError where `path` is no file, OperationFailed where it
    can't be written.
    """
    with _told(path):
        place = path.resolve()
        if place.exists() and not place.is_file():
            raise UsageError(f"{path} is no file.", hint="Name one.")
        stem = os.fsencode(place.name)[:_LONGEST_STEM].decode("utf-8", "ignore")
        # mkstemp makes it with mode 0600.
        descriptor, name = mkstemp(prefix=f".{stem}.", suffix=".part", dir=place.parent)
    unfinished, file = Path(name), os.fdopen(descriptor, "wb")

    def write(data: bytes) -> None:
        with _told(path):
            file.write(data)

    try:
        yield write
        with _told(path):
            file.flush()
            os.fsync(file.fileno())
            file.close()
            if not private:
                unfinished.chmod(0o666 & ~_umask())
            unfinished.replace(place)
    except BaseException:
        # What it holds back it would try to write once more, and say the same.
        with suppress(OSError):
            file.close()
        unfinished.unlink(missing_ok=True)
        raise


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    # A loop of symbolic links is a RuntimeError before Python 3.13.
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise OperationFailed(
            f"{path} can't be written: {reason}.",
            hint="Nothing was left there. Make room, or choose another place.",
        ) from error


def _umask() -> int:
    found = os.umask(0)
    os.umask(found)
    return found
