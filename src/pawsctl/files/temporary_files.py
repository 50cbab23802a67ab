"""Temporary files of writers: their names, their locks, and the removal of abandoned ones.

A writer locks its file while it writes. The system releases the lock when the process ends, so an
unlocked file was left behind by SIGKILL.
"""

import os
import re
import stat
import sys
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

# Bytes. A file's name may have 255, and the temporary name adds some to the stem.
_LONGEST_STEM = 100
_OURS = re.compile(r"\..*\.pawsctl-[0-9a-f]{16}\.part", re.DOTALL)


def name_beside(place: Path) -> Path:
    """Return a new, unique name in the same folder."""
    stem = os.fsencode(place.name)[:_LONGEST_STEM].decode("utf-8", "ignore")
    return place.with_name(f".{stem}.pawsctl-{os.urandom(8).hex()}.part")


def opened(path: Path) -> BinaryIO:
    """Create and lock a file with mode 0600; `sweep` does not remove it while it is open.

    Raises OSError, also if the name exists.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    while True:
        file = os.fdopen(os.open(path, flags, 0o600), "wb")
        _lock(file.fileno(), wait=True)
        if os.fstat(file.fileno()).st_nlink:
            return file
        # A sweep removed the file before it was locked.
        file.close()


def is_one(path: Path) -> bool:
    """Return whether a path has the name of a writer's temporary file."""
    return _OURS.fullmatch(path.name) is not None


def sweep(folder: Path) -> None:
    """Remove the temporary files that ended writers have left in a folder.

    Removes only files with a temporary name that this user owns and nobody writes; errors are
    ignored.
    """
    with suppress(OSError):
        for each in sorted(folder.iterdir()):
            if is_one(each):
                with suppress(OSError):
                    _remove_if_abandoned(each)


def _remove_if_abandoned(path: Path) -> None:
    if sys.platform == "win32":
        # Windows refuses to delete an open file.
        path.unlink()
    else:
        # NFS locks only files that are open for writing.
        descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            found = os.fstat(descriptor)
            if stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid():
                _lock(descriptor, wait=False)
                path.unlink()
        finally:
            os.close(descriptor)


def _lock(descriptor: int, *, wait: bool) -> None:
    """Lock an open file. On a file system without locks, `wait` returns without one.

    Without `wait`, raises OSError if there are no locks (so that nothing is swept), and its
    BlockingIOError if another process holds the lock.
    """
    if sys.platform != "win32":
        import fcntl

        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if not wait:
                raise
