"""Whether another user of this machine could have written a file, or could replace it.

Root is trusted, since nothing is kept from it. Windows has no owners and modes of this kind: there
everything passes.
"""

import os
import stat
import sys
from pathlib import Path

# As many links as Linux follows.
_MOST_LINKS = 40


def fault(path: Path) -> str:
    """Return why `path` can't be trusted, or ''.

    Looked at are the path itself, each symbolic link on the way to what it means, and every
    directory above these up to the root. Raises OSError for a path that can't be followed.
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


def _fault_of(place: Path) -> str:
    """Return what is wrong with one file or directory, or ''; links are looked at, not followed."""
    if sys.platform == "win32":
        return ""
    found = place.lstat()
    # In a sticky directory everybody may add, and only the owner of an entry may replace it: the
    # entry on our way is looked at by itself.
    is_sticky = stat.S_ISDIR(found.st_mode) and found.st_mode & stat.S_ISVTX
    fault = ""
    if found.st_uid not in (os.geteuid(), 0):
        fault = f"{place} belongs to {_user(found.st_uid)}"
    elif stat.S_ISLNK(found.st_mode) or is_sticky:
        fault = ""
    elif found.st_mode & stat.S_IWOTH:
        fault = f"everybody may write to {place}"
    elif found.st_mode & stat.S_IWGRP and _is_shared(found.st_gid):
        fault = f"{_group(found.st_gid)} may write to {place}"
    return fault


def _is_shared(gid: int) -> bool:
    """Whether a group has members besides this user and root."""
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
