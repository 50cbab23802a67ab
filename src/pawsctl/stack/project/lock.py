"""The lock of a project: one `up` or `down` at a time on this machine.

It is SQLite's lock on an empty database: the only file lock in the standard library that is the
same on Windows, macOS and Linux. The system releases it whenever the process ends, so there are no
stale locks.
"""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from pawsctl.errors import OperationFailed, TimedOut
from pawsctl.stack.events import Emit, Waiting

# Seconds; a shorter wait is not reported.
_TELL_AFTER = 1.0


@contextmanager
def locked(directory: Path, *, deadline: float, emit: Emit) -> Iterator[None]:
    """Hold the lock of the project whose state is in `directory`.

    Raises TimedOut if another process still holds it at `deadline` (time.monotonic),
    OperationFailed if it can't be taken at all.
    """
    is_told = False
    tell_at = time.monotonic() + _TELL_AFTER
    with closing(_opened(directory)) as lock:
        while not _taken(lock, directory):
            now = time.monotonic()
            if now > deadline:
                raise TimedOut(
                    "Another pawsctl still works on this project.",
                    hint="Wait for it to end, or end it, and try again.",
                )
            if not is_told and now > tell_at:
                emit(Waiting("another pawsctl is done with this project"))
                is_told = True
            time.sleep(0.02)
        yield


def _opened(directory: Path) -> sqlite3.Connection:
    path = directory / "lock"
    if not os.access(directory, os.W_OK):
        raise _unusable(directory, "you may not write to it")
    if os.access(path, os.F_OK) and not os.access(path, os.W_OK):
        # SQLite would silently lock nothing.
        raise _unusable(directory, "it may only be read")
    try:
        return sqlite3.connect(path, timeout=0, isolation_level=None)
    except sqlite3.OperationalError as error:
        raise _unusable(directory, str(error)) from error


def _taken(lock: sqlite3.Connection, directory: Path) -> bool:
    try:
        # Without a file beside it: a full disk must not keep anybody from `down --volumes`.
        lock.execute("PRAGMA journal_mode = MEMORY")
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
            raise _unusable(directory, str(error)) from error
        return False
    return True


def _unusable(directory: Path, reason: str) -> OperationFailed:
    return OperationFailed(
        f"The lock of this project in {directory} can't be taken: {reason}.",
        hint="It must be a folder that you may write to, on a disk with room.",
    )
