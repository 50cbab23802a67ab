"""Check whether another user of this machine could have written a file, or could replace it.

Root is trusted, since it may do anything. Windows has no such owners and modes, so everything
passes there.
"""

import os
import stat
import sys
from pathlib import Path

from pawsctl.files import access_list

# As many links as Linux follows.
_MOST_LINKS = 40


def fault(path: Path) -> str:
    """Return why `path` can't be trusted, or ''.

    Checks the path itself, each symbolic link it leads through, and every directory above these up
    to the root. Raises OSError for a path that can't be followed.
    """
    if sys.platform == "win32":
        return ""
    for _ in range(_MOST_LINKS):
        place = path.parent.resolve() / path.name
        found = next(filter(None, map(_fault_of, (place, *place.parents))), "")
        if found or not place.is_symlink():
            return found
        path = place.parent / place.readlink()
    return f"{path} is a chain of links without an end"


def fault_of_private(place: Path) -> str:
    """Return why another user could change a file or directory of the state, or ''.

    Checks only the place itself; one that does not exist passes. A sticky directory that others
    may write to does not pass.
    """
    try:
        return _fault_of(place, may_be_sticky=False)
    except FileNotFoundError:
        return ""


def fault_of_owner(place: Path) -> str:
    """Return a fault if another user owns a file or directory, else ''. Raises OSError."""
    owner = place.lstat().st_uid
    if sys.platform == "win32" or owner in (os.geteuid(), 0):
        return ""
    return f"{place} belongs to {_user(owner)}"


def _fault_of(place: Path, *, may_be_sticky: bool = True) -> str:
    """Return why one file or directory can't be trusted, or ''; links are not followed."""
    if sys.platform == "win32":
        return ""
    found = place.lstat()
    # In a sticky directory everybody may add entries, but only the owner of an entry may replace
    # it, and the entry itself is checked separately.
    is_sticky = may_be_sticky and stat.S_ISDIR(found.st_mode) and found.st_mode & stat.S_ISVTX
    if fault := fault_of_owner(place):
        return fault
    if stat.S_ISLNK(found.st_mode) or is_sticky:
        return ""
    if found.st_mode & stat.S_IWOTH:
        return f"everybody may write to {place}"
    # With an access control list, the group's bits are the list's mask.
    if found.st_mode & stat.S_IWGRP and (writer := _writer(place, found.st_gid)):
        return f"{writer} may write to {place}"
    return ""


def _writer(place: Path, gid: int) -> str:
    """Return another user, or a group with other members, that may write to a place, or ''."""
    if sys.platform == "win32":
        return ""
    entries = access_list.writers(place)
    if entries is None:
        return _group(gid) if _is_shared(gid) else ""
    for kind, number in entries:
        if kind == "user" and number not in (os.geteuid(), 0):
            return _user(number)
        group = gid if kind == "owning group" else number
        if kind != "user" and _is_shared(group):
            return _group(group)
    return ""


def _is_shared(gid: int) -> bool:
    """Return whether a group has members besides this user and root."""
    if sys.platform == "win32":
        return False
    import grp
    import pwd

    me = os.geteuid()
    if gid not in (0, os.getegid(), *os.getgroups()):
        return True
    members = {each.pw_uid for each in pwd.getpwall() if each.pw_gid == gid}
    try:
        names = grp.getgrgid(gid).gr_mem
    except KeyError:
        names = []
    for name in names:
        try:
            members.add(pwd.getpwnam(name).pw_uid)
        except KeyError:
            continue
    return bool(members - {me, 0})


def _user(uid: int) -> str:
    if sys.platform != "win32":
        import pwd

        try:
            return f"the user {pwd.getpwuid(uid).pw_name}"
        except KeyError:
            pass
    return f"another user ({uid})"


def _group(gid: int) -> str:
    if sys.platform != "win32":
        import grp

        try:
            return f"the group {grp.getgrgid(gid).gr_name}"
        except KeyError:
            pass
    return f"another group ({gid})"
