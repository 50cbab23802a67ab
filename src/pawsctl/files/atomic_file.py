"""A file that is there whole or not at all."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from pawsctl.errors import OperationFailed, UsageError
from pawsctl.files import links, temporary_files

Write = Callable[[bytes], object]


@contextmanager
def replacing(path: Path, *, private: bool, overwrite: bool = True) -> Iterator[Write]:
    """Yields what writes to `path`, or to the file that a symbolic link there leads to.

    The bytes go to another name in the same folder, which becomes `path` when all are on the disk,
    and is removed where anything fails. A `private` file is its owner's alone (0600), another is
    what the umask makes of it. Raises UsageError where `path` is no file, lies behind a link that
    another user made, or exists and may not be overwritten; OperationFailed where it can't be
    written.
    """
    with _told(path):
        place = links.resolved(path)
        # Asked of the path itself: what /dev/stdout leads to may have no name of its own.
        if path.exists() and not path.is_file():
            raise UsageError(f"{path} is no file.", hint="Name one, or - for stdout.")
        if place.exists() and not overwrite:
            raise _exists(path)
    temporary_files.sweep(place.parent)
    temporary = temporary_files.name_beside(place)
    file: BinaryIO | None = None
    # The name is known before there is a file: no Ctrl-C comes between its making and this.
    try:
        with _told(path):
            file = temporary_files.opened(temporary)

        def write(data: bytes) -> None:
            with _told(path):
                file.write(data)

        yield write
        with _told(path):
            file.flush()
            if not private:
                temporary.chmod(0o666 & ~_umask())
            os.fsync(file.fileno())
            if sys.platform == "win32":
                file.close()
            _place(temporary, place, path, overwrite=overwrite)
            file.close()
    except BaseException:
        # What it holds back it would try to write once more, and say the same.
        if file is not None:
            with suppress(OSError):
                file.close()
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk, where the system can do that."""
    if sys.platform != "win32":
        with suppress(OSError):
            descriptor = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def _place(temporary: Path, place: Path, path: Path, *, overwrite: bool) -> None:
    """Give a file its name, in the place of what stands there only with `overwrite`."""
    if overwrite:
        temporary.replace(place)
    else:
        try:
            # Unlike a rename, this fails where another file came there meanwhile.
            place.hardlink_to(temporary)
        except FileExistsError as error:
            raise _exists(path) from error
        except OSError:
            # A file system without hard links.
            if place.exists():
                raise _exists(path) from None
            temporary.replace(place)
        else:
            temporary.unlink()
    sync_folder(place.parent)


def _exists(path: Path) -> UsageError:
    return UsageError(
        f"{path} exists already, and is left as it is.",
        hint="Choose another name, or add --force to replace it.",
    )


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OperationFailed(
            f"{path} can't be written: {error.strerror or error}.",
            hint="Nothing was left there. Make room, or choose another place.",
        ) from error


def _umask() -> int:
    found = os.umask(0)
    os.umask(found)
    return found
