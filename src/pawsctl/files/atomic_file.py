"""Write a file atomically: it appears complete, or not at all."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from pawsctl.errors import OperationFailed, UsageError
from pawsctl.files import links, temporary_files

Write = Callable[[bytes], object]


class NotWritten(OperationFailed):
    """A file could not be written; nothing was left there but what had been there before."""


@contextmanager
def replacing(path: Path, *, private: bool, overwrite: bool = True) -> Iterator[Write]:
    """Yield a function that writes bytes to `path`, or to the target of a symbolic link there.

    The bytes go to a temporary file in the same folder. It is renamed to `path` when all of them
    are on the disk, and removed if anything fails. A `private` file has mode 0600, another the mode
    that the umask gives. Raises UsageError if `path` is no regular file, is behind a link that
    another user made, or exists and may not be overwritten; OperationFailed if it can't be written.
    """
    with _translated_errors(path):
        place = links.resolved(path)
        # Checked on the path itself: the target of /dev/stdout may have no name.
        if path.exists() and not path.is_file():
            raise UsageError(f"{path} is no file.", hint="Name one, or - for stdout.")
        if place.exists() and not overwrite:
            raise _exists(path)
    temporary_files.sweep(place.parent)
    temporary = temporary_files.name_beside(place)
    file: BinaryIO | None = None
    # The name is chosen before the file is made, so that a Ctrl-C in between leaves no file.
    try:
        with _translated_errors(path):
            file = temporary_files.opened(temporary)

        def write(data: bytes) -> None:
            with _translated_errors(path):
                file.write(data)

        yield write
        with _translated_errors(path):
            file.flush()
            if not private:
                temporary.chmod(0o666 & ~_umask())
            os.fsync(file.fileno())
            if sys.platform == "win32":
                file.close()
            _place(temporary, place, path, overwrite=overwrite)
            file.close()
    except BaseException:
        # Closing flushes the buffer, which may fail with the same error once more.
        if file is not None:
            with suppress(OSError):
                file.close()
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def sync_folder(folder: Path) -> None:
    """Sync a folder, so that the names in it are on the disk; does nothing on Windows."""
    if sys.platform != "win32":
        with suppress(OSError):
            descriptor = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def _place(temporary: Path, place: Path, path: Path, *, overwrite: bool) -> None:
    """Rename `temporary` to `place`; an existing file there is replaced only with `overwrite`."""
    if overwrite:
        temporary.replace(place)
    else:
        try:
            # Unlike a rename, this fails if another file was made there meanwhile.
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
def _translated_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        # Until it is renamed, the temporary file touches nothing at the path.
        left = (
            "The file there is as it was." if os.path.lexists(path) else "Nothing was left there."
        )
        hint = f"{left} Make room, or choose another place."
        if not path.parent.exists():
            hint = "Create its folder, or choose another place."
        raise NotWritten(
            f"{path} can't be written: {error.strerror or error}.", hint=hint
        ) from error


def _umask() -> int:
    found = os.umask(0)
    os.umask(found)
    return found
