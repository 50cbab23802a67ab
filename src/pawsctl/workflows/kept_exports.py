"""The folder of exports made by resets: an export appears complete, and the last ones are kept.

Callers hold the project's lock, so an unfinished export that they find was abandoned.
"""

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from pawsctl.files import atomic_file

KEPT = 5

_UNFINISHED = ".unfinished-"


@contextmanager
def unfinished(folder: Path) -> Iterator[Path]:
    """Yield a new folder for the files of one export; it is removed after the block.

    Exports that a killed reset left unfinished are removed first, because they hold conversations.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _sweep(folder)
    place = folder / f"{_UNFINISHED}{secrets.token_hex(8)}"
    try:
        place.mkdir(mode=0o700)
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def placed(unfinished: Path) -> Path | None:
    """Move a complete export to its final name: one file, or a folder of several.

    Returns the new path, or None if the export is empty.
    """
    folder = unfinished.parent
    found = list(unfinished.iterdir())
    if not found:
        return None
    name = f"sessions-{datetime.now(UTC):%Y%m%dT%H%M%S%f}Z"
    if len(found) > 1:
        kept = unfinished.rename(folder / name)
    else:
        kept = found[0].rename(folder / f"{name}-{found[0].name.removeprefix('sessions-')}")
    # The data is deleted next: the export's name must survive a loss of power.
    atomic_file.sync_folder(folder)
    return kept


def forget_old(folder: Path, newest: Path) -> None:
    """Delete all exports but the last ones; `newest` stays even if the clock was set back."""
    others = sorted(each for each in folder.glob("sessions-*") if each != newest)
    for old in others[: -(KEPT - 1)]:
        _remove(old)


def _sweep(folder: Path) -> None:
    for each in folder.iterdir():
        # Earlier versions gave a folder its final name before it held a complete file.
        is_empty = each.is_dir() and not any(each.glob("sessions-*.jsonl.gz"))
        if each.name.startswith(_UNFINISHED) or (each.name.startswith("sessions-") and is_empty):
            _remove(each)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
