"""The embedded servers of this user's other projects."""

from typing import NamedTuple

from pawsctl.errors import PawsctlError
from pawsctl.files import state_dir
from pawsctl.stack.engine.embedded.server_process import ServerProcess


class Holder(NamedTuple):
    """A project whose server listens on a port; `hint` makes a command act on its topology."""

    project: str
    hint: str


def holder(port: int, *, but: str) -> Holder | None:
    """Return the project other than `but` whose server listens on a port, or None."""
    try:
        home = state_dir.path_of()
        names = sorted(each.name for each in home.iterdir() if each.is_dir() and each.name != but)
        return next(filter(None, (_listening(name, port) for name in names)), None)
    except (OSError, PawsctlError):
        return None


def _listening(project: str, port: int) -> Holder | None:
    home = state_dir.path_of(project)
    for pattern in ("*", "*/*/*"):
        for file in home.glob(f"{pattern}/server.json"):
            server = ServerProcess(file.parent)
            record = server.record()
            if record is not None and record.port == port and server.process() is not None:
                folder = file.relative_to(home).parts[0]
                return Holder(project, "" if folder == "embedded" else f" --topology {folder}")
    return None
