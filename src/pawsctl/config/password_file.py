"""The file that REDIS_PASSWORD_FILE names."""

import os
import stat
from pathlib import Path

from pawsctl import escaping
from pawsctl.errors import UsageError

# Bytes. A key or a certificate may have more, a password never.
_MOST = 4096
_SECRETS = Path("/run/secrets")


def read(name: str, *, found_in: Path | None, setting: str = "REDIS_PASSWORD_FILE") -> str | None:
    """Return the password in a file of one line, or None if it is empty.

    `setting` names who names the file, for messages.
    `found_in` is the `.env` that names the file, if that `.env` was found by search and not named
    by the user. It may only name files below its own directory, to which a relative name refers,
    and in /run/secrets. Raises UsageError for every other file, and for one that can't be used.
    """
    try:
        path = Path(name).resolve()
        if found_in is not None:
            home = found_in.parent.resolve()
            path = (home / name).resolve()
            if not any(path.is_relative_to(each) for each in (home, _SECRETS)):
                raise UsageError(
                    f"{found_in} sends to Redis what stands in {path}, which is not below "
                    f"{home} nor in {_SECRETS}.",
                    hint="If you mean it, name the file in the environment (REDIS_PASSWORD_FILE), "
                    "or the .env with --env-file.",
                )
        content = _content(path)
        password = content.decode().removesuffix("\n").removesuffix("\r")
    except (OSError, RuntimeError) as error:
        raise _unfit(name, setting, getattr(error, "strerror", None) or str(error)) from error
    except UnicodeDecodeError as error:
        raise _unfit(name, setting, "it is not UTF-8") from error
    if len(content) > _MOST or any(each in password for each in "\r\n\0"):
        raise _unfit(name, setting, "it is more than one line of 4 KB")
    return password or None


def _content(path: Path) -> bytes:
    # O_NONBLOCK: opening a named pipe must not block.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError("it is no file")
        return file.read(_MOST + 1)


def _unfit(name: str, setting: str, reason: str) -> UsageError:
    return UsageError(
        f"The file that {setting} names can't be used: {reason}.",
        hint=f"Fix {escaping.setting(name)}, or unset {setting.partition(' ')[0]}.",
    )
