"""The users of this machine who can log in to it."""

import os
import sys
from pathlib import PurePosixPath

# User ids below are the system's.
_FIRST = 501 if sys.platform == "darwin" else 1000
# 65534 is nobody; higher ids belong to containers and services.
_LAST = 60_000
_NO_SHELLS = ("nologin", "false", "sync", "shutdown", "halt", "")


def others() -> list[str]:
    """Return the names of all login users but this one and root, if the system lists them."""
    if sys.platform == "win32":
        return []
    import pwd

    return sorted(
        {
            each.pw_name
            for each in pwd.getpwall()
            if _FIRST <= each.pw_uid <= _LAST
            and each.pw_uid != os.geteuid()
            and PurePosixPath(each.pw_shell).name not in _NO_SHELLS
        }
    )
