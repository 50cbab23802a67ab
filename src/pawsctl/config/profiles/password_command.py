"""The password that a command prints."""

import shlex
import subprocess
import sys
import time
from pathlib import Path

from pawsctl.errors import UsageError

_SECONDS = 60.0
_KEPT_SECONDS = 60.0
# Bytes. A password is never longer.
_MOST = 4096


_kept: dict[tuple[str | tuple[str, ...], Path], tuple[str, float]] = {}


def run(command: str | tuple[str, ...], origin: str, folder: Path) -> str:
    """Run a command without a shell, in `folder`, and return the line that it prints.

    It runs once a minute at most: a server that runs for long learns of another password. Its
    messages are ours, and so is a terminal, so that it can ask for a PIN. Raises UsageError.
    """
    password, until = _kept.get((command, folder), ("", 0.0))
    if time.monotonic() >= until:
        password = _printed(command, origin, folder)
        _kept[command, folder] = password, time.monotonic() + _KEPT_SECONDS
    return password


def _printed(command: str | tuple[str, ...], origin: str, folder: Path) -> str:
    """Run the command and return the line that it prints.

    Raises UsageError, which never quotes what it printed.
    """
    try:
        words = shlex.split(command) if isinstance(command, str) else list(command)
        done = subprocess.run(  # noqa: S603 - it stands in a file of the user's own
            words,
            # Input piped into pawsctl is not for the command.
            stdin=None if sys.stdin.isatty() else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            cwd=folder,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise _failed(origin, f"it took more than {_SECONDS:g} s") from error
    except (OSError, ValueError, IndexError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise _failed(origin, reason) from error
    if done.returncode:
        raise _failed(origin, f"it ended with status {done.returncode}")
    try:
        password = done.stdout.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise _failed(origin, "what it printed is not UTF-8") from error
    if not password or len(password) > _MOST or any(each in password for each in "\r\n\0"):
        raise _failed(origin, "it did not print one line with a password")
    return password


def _failed(origin: str, reason: str) -> UsageError:
    return UsageError(
        f"The {origin} gave no password: {reason}.",
        hint="Try that command yourself; it is run without a shell.",
    )
