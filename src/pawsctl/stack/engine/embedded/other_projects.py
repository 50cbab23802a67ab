"""The embedded servers of this user's other projects."""

from pawsctl.errors import PawsctlError
from pawsctl.files import state_dir
from pawsctl.stack.engine.embedded.server_process import ServerProcess


def project_at(port: int, *, but: str) -> str:
    """Return the project other than `but` whose server listens on a port, or ''."""
    try:
        home = state_dir.path_of()
        names = sorted(each.name for each in home.iterdir() if each.is_dir() and each.name != but)
        return next((name for name in names if _listens(name, port)), "")
    except (OSError, PawsctlError):
        return ""


def _listens(project: str, port: int) -> bool:
    home = state_dir.path_of(project)
    folders = [
        each.parent for pattern in ("", "*/", "*/*/") for each in home.glob(f"{pattern}server.json")
    ]
    for folder in folders:
        server = ServerProcess(folder)
        record = server.record()
        if record is not None and record.port == port and server.process() is not None:
            return True
    return False
