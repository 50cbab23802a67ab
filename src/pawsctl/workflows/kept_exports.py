"""The folder of exports that resets made: each is there whole or not at all, the last ones stay.

Whoever works here holds the project's lock, so what is unfinished has nobody who would finish it.
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
    """Yields a new folder for the files of one export, which is gone after the block.

    What a killed reset left unfinished goes first: it holds conversations that nobody looks for.
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
    """Give a whole export its final name: a file alone, or a folder of several; None if empty."""
    folder = unfinished.parent
    found = list(unfinished.iterdir())
    if not found:
        return None
    name = f"sessions-{datetime.now(UTC):%Y%m%dT%H%M%S%f}Z"
    if len(found) > 1:
        kept = unfinished.rename(folder / name)
    else:
        kept = found[0].rename(folder / f"{name}-{found[0].name.removeprefix('sessions-')}")
    # The data is deleted next: a loss of power must not take the export's name.
    atomic_file.sync_folder(folder)
    return kept


def forget_old(folder: Path, newest: Path) -> None:
    """Delete all exports but the last ones and `newest`, whatever the clock said that made them."""
    others = sorted(each for each in folder.glob("sessions-*") if each != newest)
    for old in others[: -(KEPT - 1)]:
        _remove(old)


def _sweep(folder: Path) -> None:
    for each in folder.iterdir():
        # Earlier versions gave a folder its final name before there was a whole file in it.
        is_empty = each.is_dir() and not any(each.glob("sessions-*.jsonl.gz"))
        if each.name.startswith(_UNFINISHED) or (each.name.startswith("sessions-") and is_empty):
            _remove(each)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
