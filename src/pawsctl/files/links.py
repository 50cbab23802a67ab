"""Follow symbolic links on the way to a file only if this user or root made them.

Anyone who may write to a shared folder can plant a link there that redirects a write to one of the
writer's own files. (The kernel's `protected_symlinks` guards opening a file, not renaming over it.)
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
    """Return a path with every symbolic link in it followed.

    Parts that do not exist are kept as they are. Raises UsageError for a link of another user,
    OSError for a cycle of links.
    """
    # On Windows, only administrators make links.
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
    """Raise UsageError if the path itself is a symbolic link of another user."""
    _is_link(path)


def _is_link(path: Path) -> bool:
    """Return whether a path is a symbolic link. Raises UsageError for one of another user."""
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
