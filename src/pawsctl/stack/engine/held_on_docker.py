"""Whether Docker holds data of a project, remembered for when it does not answer."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from pawsctl.files.state_dir import usable

# The names of the volumes in which Docker has the data, a line each.
_FILE = "on-docker"


def remember(directory: Path, volumes: Sequence[str]) -> None:
    """Note down that Docker has data in these volumes."""
    with usable(directory):
        (directory / _FILE).write_text("".join(f"{each}\n" for each in volumes), "utf-8")


def forget(directory: Path) -> None:
    """Note down that Docker has none."""
    with usable(directory):
        (directory / _FILE).unlink(missing_ok=True)


def on_docker(directory: Path) -> list[str]:
    """The volumes that Docker had data in when it was last used."""
    with usable(directory), suppress(FileNotFoundError):
        return (directory / _FILE).read_text("utf-8").splitlines()
    return []
