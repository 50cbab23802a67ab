"""The files of an embedded server's data."""

from pathlib import Path

from pawsctl.files.state_dir import usable
from pawsctl.stack.engine import append_only_files

# Bytes of a file; a manifest alone is read, and has fewer.
_MOST = 1 << 16


def has_append_only_file(data: Path) -> bool:
    """Whether the append-only file of a server in `data` is whole. Raises OperationFailed."""

    def read(name: str) -> bytes | None:
        path = data / name
        with usable(data):
            if not path.is_file():
                return None
            with path.open("rb") as file:
                return file.read(_MOST)

    return append_only_files.are_there(append_only_files.FOLDER, append_only_files.FILE, read)
