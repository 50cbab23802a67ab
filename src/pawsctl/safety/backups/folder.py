"""The backups of this machine: their names, their age, and the removal of old ones.

Those that commands on sessions make are in a folder of the state directory, under a name that no
project can have. The exports of `redis reset` are in the folders of the projects.
"""

import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from pawsctl.errors import OperationFailed, UsageError
from pawsctl.files import atomic_file, state_dir, temporary_files
from pawsctl.plurals import plural
from pawsctl.sessions.archive import read

_SUFFIX = ".jsonl.gz"
_NAME = re.compile(r"([0-9]{8}T[0-9]{12}Z)-([a-z]+)")
# A file, or a folder of several: a reset exports each database.
_EXPORT = re.compile(r"sessions-([0-9]{8}T[0-9]{12}Z)(-db[0-9]+\.jsonl\.gz)?")
_UNFINISHED = ".unfinished-*"
_TIME = "%Y%m%dT%H%M%S%fZ"
# A time of life can be added to any of them.
_FIRST_YEAR, _LAST_YEAR = 2000, 9900


class Place(NamedTuple):
    """A backup's file, its name for users, and when and before which command it was made.

    One that `stays` is not removed for its age: it is the newest export of a project's resets.
    """

    path: Path
    name: str
    made_at: datetime
    before: str
    stays: bool = False


def name_of(path: Path) -> str:
    """Return the name by which users call the backup in that file, of the folder it is in."""
    name = path if not path.is_absolute() else Path(path.name)
    return name.as_posix().removesuffix(_SUFFIX)


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
    """Return all backups, the newest first; what else has such a name, as a folder, is none."""
    return sorted([*_kept(), *_exports()], key=lambda each: each.made_at, reverse=True)


def _kept() -> list[Place]:
    """Return the backups of commands on sessions."""
    folder = path()
    with state_dir.usable(folder):
        try:
            names = [each.name for each in folder.iterdir()]
        except FileNotFoundError:
            return []
    return [
        Place(folder / name, name_of(folder / name), made_at, found[2])
        for name in sorted(names)
        if name.endswith(_SUFFIX)
        and (found := _NAME.fullmatch(name.removesuffix(_SUFFIX)))
        and (made_at := _time(found[1]))
        and (folder / name).is_file()
    ]


def _exports() -> list[Place]:
    """Return the exports of resets, for each folder those of it; one may have several files."""
    found: list[Place] = []
    for project, safe in _project_folders():
        with state_dir.usable(safe):
            names = sorted(each.name for each in safe.iterdir())
        exports = [
            Place(file, f"{project}/{name_of(file.relative_to(safe))}", made_at, "reset")
            for name in names
            if (told := _EXPORT.fullmatch(name)) and (made_at := _time(told[1]))
            for file in _files(safe / name)
            if file.is_file()
        ]
        newest = max((each.made_at for each in exports), default=None)
        found += [each._replace(stays=each.made_at == newest) for each in exports]
    return found


def _project_folders() -> Iterator[tuple[Path, Path]]:
    """Yield the name of each project that has a folder of exports, and that folder."""
    home = state_dir.path_of()
    for folder in sorted([*home.glob("*/backups"), *home.glob("*/*/backups")]):
        project = folder.parent.relative_to(home)
        yield project, state_dir.path_of(*project.parts, folder.name)


def _files(export: Path) -> list[Path]:
    return sorted(export.glob(f"sessions-*{_SUFFIX}")) if export.is_dir() else [export]


def _time(text: str) -> datetime | None:
    """Return the time in a name; None for one at which no backup was made."""
    try:
        found = datetime.strptime(text, _TIME).replace(tzinfo=UTC)
    except ValueError:
        return None
    return found if _FIRST_YEAR <= found.year <= _LAST_YEAR else None


def named(name: str) -> Place:
    """Return the backup of that name. Raises UsageError if there is none."""
    for each in every():
        if name.removesuffix(_SUFFIX) == each.name:
            return each
    raise UsageError(
        f"There is no backup '{name}'.", hint="'pawsctl backup list' shows those there are."
    )


class Latest(NamedTuple):
    """The newest backup that no restore made, if there is one, and a `newer` one of a restore.

    What a restore has replaced is not the latest: if it was killed, another run is to complete it,
    and not to undo it.
    """

    place: Place
    newer: Place | None


def latest() -> Latest:
    """Return the newest backup. Raises UsageError if there is none."""
    if found := every():
        place = next((each for each in found if each.before != "restore"), found[0])
        return Latest(place, None if place == found[0] else found[0])
    raise UsageError(
        "There is no backup.",
        hint="Commands that delete or replace sessions keep one, unless --no-backup says not to.",
    )


def expiry(place: Place, hours: float) -> datetime:
    """Return when a backup may be removed: after the time that was promised when it was made.

    One that does not say, such as the export of a reset, lives `hours`.
    """
    with suppress(OperationFailed, UsageError):
        hours = read.header_of(str(place.path)).kept_hours or hours
    return place.made_at + timedelta(hours=hours)


def sweep(hours: float) -> int:
    """Remove backups whose time is up, and what killed commands left; return how many backups.

    Those that do not say how long they live, live `hours`. The newest export of a project's resets
    stays, however old it is; what a killed reset had not finished does not.
    """
    now = datetime.now(UTC)
    for _, safe in _project_folders():
        for each in safe.glob(_UNFINISHED):
            # A reset that is under way is younger.
            if datetime.fromtimestamp(each.lstat().st_mtime, UTC) + timedelta(hours=hours) < now:
                shutil.rmtree(each, ignore_errors=True)
    return remove([each for each in every() if not each.stays and expiry(each, hours) < now])


def swept_text(count: int) -> str:
    """Return a sentence on how many backups were removed."""
    return f"Removed {plural(count, 'backup')} whose time was up."


def remove(places: Sequence[Place]) -> int:
    """Remove backups, and unfinished ones that killed commands left; return how many."""
    temporary_files.sweep(path())
    for each in places:
        with state_dir.usable(each.path.parent):
            each.path.unlink(missing_ok=True)
            if _EXPORT.fullmatch(each.path.parent.name) and not any(each.path.parent.iterdir()):
                each.path.parent.rmdir()
    return len(places)
