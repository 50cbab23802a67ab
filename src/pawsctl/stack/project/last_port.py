"""The port on which this project's Redis was last started, so that commands can tell of another.

Nothing depends on the note: if there is no room for it, there is none.
"""

from contextlib import suppress
from pathlib import Path

from pawsctl.errors import PawsctlError
from pawsctl.stack.project import mounted_files

_FILE = "port"


def note(directory: Path, port: int) -> None:
    """Note down the port in a project's state directory."""
    with suppress(OSError):
        (directory / _FILE).write_text(f"{port}\n")


def forget(directory: Path) -> None:
    """Remove the note: the project's Redis is removed."""
    with suppress(OSError):
        (directory / _FILE).unlink(missing_ok=True)


def other_than(port: int, project: str) -> int | None:
    """Return the port that is noted for a project if it is another one than `port`."""
    with suppress(OSError, ValueError, PawsctlError):
        noted = int((mounted_files.state_path(project, "single") / _FILE).read_text())
        return noted if noted != port else None
    return None
