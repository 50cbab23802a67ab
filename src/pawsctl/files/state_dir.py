"""The directories in which pawsctl keeps what it must remember, and which nobody else may write.

Records, rendered files, backups, the embedded server's data and its password are there: whoever
could put another file in the place of one of them would choose what pawsctl runs and believes.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path

from pawsctl.errors import OperationFailed, UsageError
from pawsctl.files import links, trust

_PRIVATE = 0o700
_SEARCHED_BY_OTHERS = 0o011


def path_of(*names: str) -> Path:
    """Return the directory of a project, and of what is below it, whether it is there or not.

    Raises OperationFailed if nobody can tell where it is, UsageError if another user owns or may
    write it, a directory above it or what is in it, or made a link on the way.
    """
    # 10 ms, and --help does not pay for it.
    from platformdirs import user_state_path

    try:
        home = user_state_path("pawsctl", appauthor=False)
    except RuntimeError:
        home = Path()
    if not home.is_absolute():
        # The system knows no home either: a '~' would become a directory of that name.
        raise OperationFailed(
            "There is no place for pawsctl's state: HOME is not set, and this user has no home.",
            hint="Set XDG_STATE_HOME, or HOME, to a directory that you may write to.",
        )
    directory = home.joinpath(*names)
    with usable(home), suppress(FileNotFoundError):
        links.resolved(directory)
        # Lock, records, logs, data and backups: each is written where its name leads.
        for each in directory.iterdir():
            links.require_own(each)
    with usable(home):
        _judge(home, directory)
    return directory


def made(directory: Path) -> None:
    """Make a directory, and those above it, the user's alone. Raises OperationFailed."""
    missing = [each for each in (directory, *directory.parents) if not each.exists()]
    with usable(directory):
        for each in reversed(missing):
            each.mkdir(mode=_PRIVATE, exist_ok=True)


@contextmanager
def usable(directory: Path) -> Iterator[None]:
    """What the system refuses in a directory of the state, as OperationFailed that names it."""
    try:
        yield
    except OSError as error:
        # What is removed with its directory is named within that.
        place = directory / error.filename if error.filename else directory
        raise OperationFailed(
            f"{place} can't be used: {error.strerror or error}.",
            hint="pawsctl keeps its state there: make it yours, on a disk with room, or set "
            "XDG_STATE_HOME.",
        ) from error


def _judge(home: Path, directory: Path) -> None:
    """Raises UsageError for a place of the state, or one above, that is somebody else's."""
    # Links on the way are this user's own, or root's.
    home, directory = home.resolve(), directory.resolve()
    there = next(each for each in (directory, *directory.parents) if os.path.lexists(each))
    # A sticky directory would let others put there what is not there yet.
    own = [each for each in (directory, *directory.parents) if each.is_relative_to(home)]
    faults = chain([trust.fault(there)], map(trust.fault_of_private, own), _within(directory))
    if found := next(filter(None, faults), ""):
        raise UsageError(
            f"pawsctl's state in {directory} can't be trusted: {found}.",
            hint="If it is yours, see to that (chown, chmod go-w); or set XDG_STATE_HOME to a "
            "directory of your own.",
        )


def _within(directory: Path) -> Iterator[str]:
    try:
        # Files that a careless umask opened to all are safe behind a directory that is not.
        is_closed = not stat.S_IMODE(directory.stat().st_mode) & _SEARCHED_BY_OTHERS
        for each in directory.iterdir():
            if is_closed and each.is_file():
                yield trust.fault_of_owner(each)
            else:
                yield trust.fault_of_private(each)
    except FileNotFoundError:
        return
