"""The folder of backups: their names, their age, and the removal of old ones.

It is in the state directory, under a name that no project can have.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from pawsctl.errors import UsageError
from pawsctl.files import atomic_file, state_dir, temporary_files

_SUFFIX = ".jsonl.gz"
_NAME = re.compile(r"([0-9]{8}T[0-9]{12}Z)-([a-z]+)")
_TIME = "%Y%m%dT%H%M%S%fZ"


class Place(NamedTuple):
    """A backup's file, and what its name tells: when it was made, and before which command."""

    path: Path
    made_at: datetime
    before: str

    @property
    def name(self) -> str:
        """The name by which users call it."""
        return name_of(self.path)


def name_of(path: Path) -> str:
    """Return the name by which users call the backup in that file."""
    return path.name.removesuffix(_SUFFIX)


def path() -> Path:
    """Return the folder, whether it exists or not. Raises what `state_dir.path_of` raises."""
    return state_dir.path_of("undo.archives")


def new(before: str) -> Path:
    """Return the path of a new backup, in the folder, which is made if it is missing."""
    folder = path()
    if not folder.exists():
        state_dir.made(folder)
        atomic_file.sync_folder(folder.parent)
    return folder / f"{datetime.now(UTC):{_TIME}}-{before}{_SUFFIX}"


def every() -> list[Place]:
    """Return all backups, the newest first."""
    folder = path()
    with state_dir.usable(folder):
        try:
            names = [each.name for each in folder.iterdir()]
        except FileNotFoundError:
            return []
    return [
        Place(folder / name, datetime.strptime(found[1], _TIME).replace(tzinfo=UTC), found[2])
        for name in sorted(names, reverse=True)
        if name.endswith(_SUFFIX) and (found := _NAME.fullmatch(name.removesuffix(_SUFFIX)))
    ]


def named(name: str) -> Place:
    """Return the backup of that name. Raises UsageError if there is none."""
    for each in every():
        if name.removesuffix(_SUFFIX) == each.name:
            return each
    raise UsageError(
        f"There is no backup '{name}'.", hint="'pawsctl backup list' shows those there are."
    )


def latest() -> Place:
    """Return the newest backup. Raises UsageError if there is none."""
    for each in every():
        return each
    raise UsageError(
        "There is no backup.",
        hint="Commands that delete or replace sessions keep one, unless they are told not to.",
    )


def sweep(hours: float) -> int:
    """Remove backups older than that, and what killed commands left; return how many backups."""
    oldest = datetime.now(UTC) - timedelta(hours=hours)
    return remove([each for each in every() if each.made_at < oldest])


def remove(places: Sequence[Place]) -> int:
    """Remove backups, and unfinished ones that killed commands left; return how many."""
    temporary_files.sweep(path())
    for each in places:
        with state_dir.usable(each.path.parent):
            each.path.unlink(missing_ok=True)
    return len(places)
