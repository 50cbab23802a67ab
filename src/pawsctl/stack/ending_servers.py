"""A note in the state directory that servers are shutting down, for when pawsctl is killed.

Without it a server that still runs for a moment would be taken for one that keeps running.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pawsctl.files.state_dir import usable

_FILE = "ending"


@contextmanager
def noted(directory: Path) -> Iterator[None]:
    """Note down that servers are shutting down; the note is removed if the block succeeds."""
    with usable(directory):
        (directory / _FILE).touch()
    yield
    forget(directory)


def is_noted(directory: Path) -> bool:
    """Whether servers may still be shutting down."""
    with usable(directory):
        return (directory / _FILE).exists()


def forget(directory: Path) -> None:
    """Remove the note."""
    with usable(directory):
        (directory / _FILE).unlink(missing_ok=True)
