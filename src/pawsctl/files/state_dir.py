"""The state directories of pawsctl, which no other user may write to.

They hold records, rendered files, backups, the embedded server's data and its password: anyone who
could replace one of these would control what pawsctl runs and trusts.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path

from pawsctl.errors import OperationFailed, UsageError
from pawsctl.files import links, trust

NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
"""The errors of a full disk, and of a quota that is used up."""


class Unusable(OperationFailed):
    """A state directory, or a file in it, can't be read or written."""


_PRIVATE = 0o700
_SEARCHED_BY_OTHERS = 0o011


def path_of(*names: str) -> Path:
    """Return the directory of a project, or one below it, whether it exists or not.

    Raises OperationFailed if the user has no home, UsageError if another user owns or may write the
    directory, one above it or an entry in it, or made a link on the way.
    """
    # Saves 10 ms for --help.
    from platformdirs import user_state_path

    try:
        home = user_state_path("pawsctl", appauthor=False)
    except RuntimeError:
        home = Path()
    if not home.is_absolute():
        # The system knows no home, and '~' would become a directory of that name.
        raise Unusable(
            "There is no place for pawsctl's state: HOME is not set, and this user has no home.",
            hint="Set XDG_STATE_HOME, or HOME, to a directory that you may write to.",
        )
    directory = home.joinpath(*names)
    with usable(home), suppress(FileNotFoundError):
        links.resolved(directory)
        # A link in place of the lock, records, logs, data or backups would redirect the write.
        for each in directory.iterdir():
            links.require_own(each)
    with usable(home):
        _judge(home, directory)
    return directory


def made(directory: Path) -> None:
    """Make a directory and those above it, for this user only (0700). Raises OperationFailed."""
    missing = [each for each in (directory, *directory.parents) if not each.exists()]
    with usable(directory):
        for each in reversed(missing):
            each.mkdir(mode=_PRIVATE, exist_ok=True)


@contextmanager
def usable(directory: Path) -> Iterator[None]:
    """Turn an OSError in a state directory into an OperationFailed that names the place."""
    try:
        yield
    except OSError as error:
        # An error on removing a directory names a file relative to it.
        place = directory / error.filename if error.filename else directory
        raise Unusable(
            f"{place} can't be used: {error.strerror or error}.",
            hint="pawsctl keeps its state there: make it yours, on a disk with room, or set "
            "XDG_STATE_HOME.",
        ) from error


def _judge(home: Path, directory: Path) -> None:
    """Raise UsageError if another user owns or may write a state directory or one above it."""
    # Links on the way were checked: they are this user's own, or root's.
    home, directory = home.resolve(), directory.resolve()
    there = next(each for each in (directory, *directory.parents) if os.path.lexists(each))
    # A sticky directory would let others add files that do not exist yet.
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
        # Files that a loose umask opened to all are safe in a directory that others can't enter.
        is_closed = not stat.S_IMODE(directory.stat().st_mode) & _SEARCHED_BY_OTHERS
        for each in directory.iterdir():
            if is_closed and each.is_file():
                yield trust.fault_of_owner(each)
            else:
                yield trust.fault_of_private(each)
    except FileNotFoundError:
        return
