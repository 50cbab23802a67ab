"""A note of the Docker volumes with a project's data, for when Docker does not answer."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from pawsctl.files.state_dir import usable

# The names of the volumes in which Docker has the data, one per line.
_FILE = "on-docker"


def remember(directory: Path, volumes: Sequence[str]) -> None:
    """Note down that Docker has data in these volumes."""
    with usable(directory):
        (directory / _FILE).write_text("".join(f"{each}\n" for each in volumes), "utf-8")


def forget(directory: Path) -> None:
    """Note down that Docker has no data."""
    with usable(directory):
        (directory / _FILE).unlink(missing_ok=True)


def on_docker(directory: Path) -> list[str]:
    """Return the volumes in which Docker had data when it was last used."""
    with usable(directory), suppress(FileNotFoundError):
        return (directory / _FILE).read_text("utf-8").splitlines()
    return []
