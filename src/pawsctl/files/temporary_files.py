"""Files that are being written: their temporary names, and the end of those left behind.

A writer locks its file for as long as it writes. The system lets go of the lock with the process,
however that ends, so a file that nobody holds is what SIGKILL has left.
"""

import os
import re
import secrets
import stat
import sys
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

# A file's name may have 255 bytes, and the temporary one has some beside it.
_LONGEST_STEM = 100
_OURS = re.compile(r"\..*\.pawsctl-[0-9a-f]{16}\.part", re.DOTALL)


def name_beside(place: Path) -> Path:
    """Return a name in the same folder that nobody has had."""
    stem = os.fsencode(place.name)[:_LONGEST_STEM].decode("utf-8", "ignore")
    return place.with_name(f".{stem}.pawsctl-{secrets.token_hex(8)}.part")


def opened(path: Path) -> BinaryIO:
    """Create a file that is its owner's alone (0600), and that `sweep` leaves while it is open.

    Raises OSError, also if the name exists.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    while True:
        file = os.fdopen(os.open(path, flags, 0o600), "wb")
        _lock(file.fileno(), wait=True)
        if os.fstat(file.fileno()).st_nlink:
            return file
        # A sweep came between its making and its lock.
        file.close()


def sweep(folder: Path) -> None:
    """Remove what writers that are gone have left in a folder; whatever can't be removed stays.

    Only files with a temporary name that this user owns and nobody writes.
    """
    with suppress(OSError):
        for each in sorted(folder.iterdir()):
            if _OURS.fullmatch(each.name):
                with suppress(OSError):
                    _remove_if_abandoned(each)


def _remove_if_abandoned(path: Path) -> None:
    if sys.platform == "win32":
        # The system refuses that while somebody has it open.
        path.unlink()
    else:
        # NFS locks only what is open for writing.
        descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            found = os.fstat(descriptor)
            if stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid():
                _lock(descriptor, wait=False)
                path.unlink()
        finally:
            os.close(descriptor)


def _lock(descriptor: int, *, wait: bool) -> None:
    """Lock an open file. A file system without locks has none to wait for, and sweeps nothing.

    Raises BlockingIOError if another holds it and there is no `wait`.
    """
    if sys.platform != "win32":
        import fcntl

        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if not wait:
                raise
