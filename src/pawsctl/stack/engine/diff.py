"""Differences between two versions of a service, by names that users know."""

from collections.abc import Sequence
from pathlib import Path

COMMAND = "command"
SECRETS = "secrets"
MAXMEMORY = "maxmemory"

_CONTENTS = {"redis.conf": "password", "redis_password": "password", "commander.json": "login"}


def options(before: Sequence[str], wanted: Sequence[str]) -> tuple[str, ...]:
    """Return the options, without dashes, that differ between two command lines of a server.

    `command` stands for a difference before the first option.
    """
    old, new = _by_option(before), _by_option(wanted)
    return tuple(name for name in {**new, **old} if old.get(name) != new.get(name))


def contents(before: Sequence[str], wanted: Sequence[str]) -> tuple[str, ...]:
    """Return what differs between the old and the new files at these paths: `password`, `login`.

    Return `secrets` if their contents are the same, an old file is gone or they do not pair up.
    """
    old = {Path(each).name: Path(each) for each in before}
    new = {Path(each).name: Path(each) for each in wanted}
    names = [
        _CONTENTS[name]
        for name in new
        if name in old and name in _CONTENTS and _differ(old[name], new[name])
    ]
    return tuple(dict.fromkeys(names)) or (SECRETS,)


def _by_option(words: Sequence[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    name = COMMAND
    for word in words:
        if word.startswith("--"):
            name = word.removeprefix("--")
            found.setdefault(name, [])
        else:
            found.setdefault(name, []).append(word)
    return found


def _differ(before: Path, wanted: Path) -> bool:
    try:
        return before.read_bytes() != wanted.read_bytes()
    except OSError:
        return False
