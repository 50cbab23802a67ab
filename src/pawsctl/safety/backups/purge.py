"""Removing backups before their time is up."""

from collections.abc import Sequence

import msgspec

from pawsctl.errors import OperationFailed, UsageError
from pawsctl.safety.backups import folder
from pawsctl.safety.backups.folder import Place
from pawsctl.sessions.archive import read


class Purged(msgspec.Struct, frozen=True):
    """The names of the backups that were removed."""

    removed: list[str]


def chosen(names: Sequence[str]) -> list[Place]:
    """Return the backups of these names; all of them without a name. Raises UsageError."""
    if not names:
        return folder.every()
    return list(dict.fromkeys(map(folder.named, names)))


def sources(places: Sequence[Place]) -> dict[str, str | None]:
    """Return the URL that each backup is from, by its name; None if it can't be read."""
    found: dict[str, str | None] = {}
    for each in places:
        try:
            found[each.name] = read.header_of(str(each.path)).source
        except (OperationFailed, UsageError):
            found[each.name] = None
    return found


def purge(places: Sequence[Place]) -> Purged:
    """Remove the backups. Raises OperationFailed if a file can't be removed."""
    folder.remove(places)
    return Purged([each.name for each in places])
