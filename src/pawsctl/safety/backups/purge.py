"""Removing backups before their time is up."""

from collections.abc import Sequence

import msgspec

from pawsctl.safety.backups import folder
from pawsctl.safety.backups.folder import Place


class Purged(msgspec.Struct, frozen=True):
    """The names of the backups that were removed."""

    removed: list[str]


def chosen(names: Sequence[str]) -> list[Place]:
    """Return the backups of these names; all of them without a name. Raises UsageError."""
    if not names:
        return folder.every()
    return list(dict.fromkeys(map(folder.named, names)))


def purge(places: Sequence[Place]) -> Purged:
    """Remove the backups. Raises OperationFailed if a file can't be removed."""
    folder.remove(places)
    return Purged([each.name for each in places])
