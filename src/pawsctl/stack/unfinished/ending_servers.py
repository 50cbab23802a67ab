"""A note in the state directory that servers are shutting down, for when pawsctl is killed.

Without it a server that still runs for a moment would be taken for one that keeps running.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pawsctl.errors import Conflict
from pawsctl.files.state_dir import NO_ROOM, usable

_FILE = "ending"


@contextmanager
def noted(directory: Path) -> Iterator[None]:
    """Note down that servers are shutting down; the note is removed if the block succeeds.

    Also if it raises Conflict: then a server is left running. A note of an earlier command stays.
    On a full disk it goes without: `down --volumes` is what makes room there.
    """
    file = directory / _FILE
    with usable(directory):
        was_there = file.exists()
        try:
            file.touch()
        except OSError as error:
            if error.errno not in NO_ROOM:
                raise
    try:
        yield
    except Conflict:
        if not was_there:
            _forget(directory)
        raise
    _forget(directory)


def finish(directory: Path, end: Callable[[], None]) -> None:
    """Call `end` if servers may still be shutting down, and remove the note."""
    with usable(directory):
        is_noted = (directory / _FILE).exists()
    if is_noted:
        end()
        _forget(directory)


def _forget(directory: Path) -> None:
    with usable(directory):
        (directory / _FILE).unlink(missing_ok=True)
