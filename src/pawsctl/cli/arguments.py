"""Parameters shared by several commands, and functions that interpret them."""

import errno
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pawsctl.cli import lookups

if TYPE_CHECKING:
    from pawsctl.sessions.contract.keyspace import Keyspace

Phones = Annotated[
    list[str],
    typer.Argument(
        metavar="PHONE...",
        autocompletion=lookups.phones,
        help="Phones such as +123, whole keys, or - to read stdin.",
    ),
]
OptionalPhones = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[PHONE...]",
        autocompletion=lookups.phones,
        help="Phones, keys, or - to read stdin.",
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Show what would be done, but change nothing.")
]
NoBackup = Annotated[bool, typer.Option("--no-backup", help="Keep nothing for 'backup restore'.")]
Confirm = Annotated[
    str,
    typer.Option(
        "--confirm",
        metavar="HOST",
        help="Name the host; required if Redis may be production's.",
    ),
]

FreshTtl = Annotated[
    int | None,
    typer.Option(
        "--ttl",
        parser=lambda text: int(duration_option(text)),
        metavar="TIME",
        help="TTL for sessions that have expired meanwhile, such as 6h.",
    ),
]

JUnit = Annotated[
    Path | None, typer.Option("--junit", metavar="FILE", help="Also write a JUnit report.")
]


def time_option(text: str, *, like: str, option: str | None = None) -> float:
    """Parse a length of time such as `90s` into seconds. Raises BadParameter.

    `like` has examples for the message, and `option` the option's name; inside an option's callback
    or parser Typer adds it.
    """
    from pawsctl import durations

    try:
        return durations.seconds(text)
    except ValueError as error:
        no_unit = f"{text} has no unit: " if text.replace(".", "", 1).isdecimal() else ""
        raise typer.BadParameter(
            f"{no_unit}write it like {like}.", param_hint=option and f"'{option}'"
        ) from error


def duration_option(text: str, *, least: str = "1s", option: str | None = None) -> float:
    """Parse the value of an option like `--idle 10m` into seconds.

    Raises BadParameter if it can't be read or is less than `least`. `option` is the name for the
    message; inside an option's callback Typer adds it.
    """
    from pawsctl import durations

    like = f"90s, 30m, 1h30m, 2d or 1w, from {least} to {durations.MOST_DAYS}d"
    seconds = time_option(text, like=like, option=option)
    if seconds < durations.seconds(least):
        raise typer.BadParameter(f"write it like {like}.", param_hint=option and f"'{option}'")
    return seconds


def waiting_time(text: str) -> float:
    """Parse how long to wait, like `60s`, into seconds. Raises BadParameter."""
    return time_option(text, like="60s or 2m")


def phone_keys(phones: Sequence[str], keyspace: "Keyspace", *, exact: bool = False) -> list[bytes]:
    """Return the keys for a command's PHONE arguments; `-` stands for the lines of stdin.

    Raises UsageError for an argument that can't be a phone, and if stdin has none; with `exact`,
    for a command that changes sessions, also for one that is mistyped.
    """
    from pawsctl.errors import UsageError

    read: list[str] = []
    if "-" in phones:
        # Not at a U+2028 or the like, which an id may have in it.
        lines = re.split("\r\n?|\n", _stdin())
        for number, line in enumerate(lines, 1):
            if not (_is_utf8(line) or keyspace.is_raw or line.startswith(keyspace.prefix)):
                broken = f"stdin, line {number}, is not UTF-8."
                try:
                    keyspace.key(line, exact=exact)
                except UsageError as error:
                    raise error.with_context(before=broken) from error
                raise UsageError(broken, hint="Write phones in UTF-8.")
        read = [line for line in lines if line.strip()]
        if not read:
            name = "id" if keyspace.is_raw else "phone"
            raise UsageError(f"No {name} on stdin.", hint="Write one on each line.")
    given = [each for phone in phones for each in (read if phone == "-" else [phone])]
    return [keyspace.key(phone, exact=exact) for phone in given]


def _stdin() -> str:
    """Return what is on stdin. Raises UsageError if it can't be read."""
    try:
        return sys.stdin.read()
    except OSError as error:
        from pawsctl.errors import UsageError

        raise UsageError(
            f"stdin can't be read: {error.strerror}.", hint="Name the phones, or send them anew."
        ) from error


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def is_single(phones: Sequence[str]) -> bool:
    """Return whether exactly one phone was named: JSON is then one object, not an array."""
    return len(phones) == 1 and phones[0] != "-"


def require_writable(path: Path | None) -> None:
    """Check, before the work begins, that a report can be written. Raises UsageError."""
    if path is None:
        return
    try:
        reason = _unfit(path)
    except OSError as error:
        reason = error.strerror or str(error)
    if reason:
        from pawsctl.errors import UsageError

        raise UsageError(
            f"{path} can't be written: {reason}.",
            hint="Name a file in a directory that exists and is yours.",
        )


def require_new(path: Path | None) -> None:
    """Check the same, and that there is no such file yet. Raises UsageError."""
    require_writable(path)
    if path is not None and os.path.lexists(path):
        from pawsctl.errors import UsageError

        raise UsageError(
            f"{path} exists already, and is left as it is.", hint="Choose another name."
        )


def _unfit(path: Path) -> str:
    """Return why no file can be written at `path`, or ''."""
    reason = ""
    if path.is_dir():
        reason = os.strerror(errno.EISDIR)
    elif path.exists() and not path.is_file():
        reason = "it is no file"
    elif not path.parent.exists():
        reason = os.strerror(errno.ENOENT)
    elif not path.parent.is_dir():
        reason = os.strerror(errno.ENOTDIR)
    elif not os.access(path.parent, os.W_OK | os.X_OK):
        reason = os.strerror(errno.EACCES)
    return reason


Source = Annotated[
    str, typer.Argument(metavar="FILE|-", help="Archive of 'session export'; - reads stdin.")
]
