"""Symbolic links on the way to a file, followed only if this user or root made them.

Whoever may write to a shared folder can plant a link there that leads a writer to a file of its
own. (The kernel's `protected_symlinks` guards files that are opened, not what is renamed over.)
"""

import errno
import os
import stat
import sys
from pathlib import Path

from pawsctl.errors import UsageError

# As many as Linux follows.
_MOST = 40


def resolved(path: Path) -> Path:
    """Return where a path leads, with every symbolic link on the way followed.

    What does not exist is kept as it is. Raises UsageError for a link of another user, OSError for
    links that lead in a circle.
    """
    # Only who may administer a Windows makes links there.
    return path.resolve() if sys.platform == "win32" else _followed(path)


def _followed(path: Path) -> Path:
    here = path.absolute()
    place, todo, followed = Path(here.anchor), list(reversed(here.parts[1:])), 0
    while todo:
        name = todo.pop()
        if name == "..":
            place = place.parent
            continue
        place /= name
        if not _is_link(place):
            continue
        followed += 1
        if followed > _MOST:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
        target = place.readlink()
        place = Path(target.anchor) if target.is_absolute() else place.parent
        todo += reversed(target.parts[1:] if target.is_absolute() else target.parts)
    return place


def require_own(path: Path) -> None:
    """Raises UsageError if the path itself is a symbolic link of another user."""
    _is_link(path)


def _is_link(path: Path) -> bool:
    """Whether it is a symbolic link. Raises UsageError for one of another user."""
    try:
        found = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    if not stat.S_ISLNK(found.st_mode):
        return False
    if sys.platform != "win32" and found.st_uid not in (0, os.geteuid()):
        raise UsageError(
            f"{path} is a link that another user made (user id {found.st_uid}).",
            hint="It is not followed: choose another folder, or name the place that it leads to.",
        )
    return True
