"""Servers that were told to end, remembered until they have: whoever told them may be killed.

What runs on for a moment would be taken for one that goes on running.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pawsctl.files.state_dir import usable

_FILE = "ending"


@contextmanager
def noted(directory: Path) -> Iterator[None]:
    """Note down that servers are told to end in the block, unless it comes to its end."""
    with usable(directory):
        (directory / _FILE).touch()
    yield
    forget(directory)


def is_noted(directory: Path) -> bool:
    """Whether servers may be about to end."""
    with usable(directory):
        return (directory / _FILE).exists()


def forget(directory: Path) -> None:
    """Note down that none is."""
    with usable(directory):
        (directory / _FILE).unlink(missing_ok=True)
