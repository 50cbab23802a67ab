"""The password for REDIS_PASSWORD=random: made once for a project, and kept.

It is in the project's state directory, outlives every container and its data, and is the same for
each topology.
"""

import os
import re

from pawsctl.errors import UsageError
from pawsctl.files import atomic_file, state_dir, trust

ASKED = "random"
_NAME = "password"
_BYTES = 24
_PATTERN = re.compile(rb"[\w-]{16,256}\n?", re.ASCII)


def read(project: str) -> str | None:
    """Return the password of a project, or None if none was made yet.

    Raises UsageError for a file that another user could have written or that holds no password,
    OperationFailed for one that can't be read.
    """
    path = state_dir.path_of(project) / _NAME
    with state_dir.usable(path.parent):
        if not os.path.lexists(path):
            return None
        fault = trust.fault(path) or ("" if path.is_file() else f"{path} is no file")
        found = b"" if fault else path.read_bytes()
    if fault or not _PATTERN.fullmatch(found):
        raise UsageError(
            f"{path} does not hold the password that REDIS_PASSWORD=random stands for"
            f"{f': {fault}' if fault else ''}.",
            hint="Delete it, and 'pawsctl redis up' makes another; or set REDIS_PASSWORD.",
        )
    return found.decode().strip()


def made(project: str) -> str:
    """Return the password of a project, and make it if there is none yet.

    If several processes make it at once, one wins, and all return its password. Raises the errors
    of `read`.
    """
    if found := read(project):
        return found
    directory = state_dir.path_of(project)
    state_dir.made(directory)
    # As secrets.token_hex, whose import takes 3 ms of every command.
    password = os.urandom(_BYTES).hex()
    try:
        with atomic_file.replacing(directory / _NAME, private=True, overwrite=False) as write:
            write(f"{password}\n".encode())
    except UsageError:
        if found := read(project):
            # Another process was quicker.
            return found
        raise
    return password
