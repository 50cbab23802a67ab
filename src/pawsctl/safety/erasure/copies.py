"""The copies of sessions that pawsctl itself keeps in its state directory.

These are backups before a change, exports of resets, and texts that `session edit` did not write.
"""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from pawsctl.errors import OperationFailed, UsageError
from pawsctl.files import state_dir, temporary_files
from pawsctl.safety.audit import log
from pawsctl.sessions.archive import without
from pawsctl.sessions.edit import edit_session

EDITS = "session.edits"
_ARCHIVES = (".jsonl", ".jsonl.gz")


class Copies(msgspec.Struct, frozen=True):
    """The archives with lines of a session, the kept edits of it, and why others are not known."""

    archives: dict[Path, int]
    edits: list[Path]
    unread: list[str]

    @property
    def lines(self) -> int:
        """The number of lines in all archives."""
        return sum(self.archives.values())


def found(key: bytes, name: str) -> Copies:
    """Return all copies of the session with that key, whose phone is `name`.

    Raises what `state_dir.path_of` raises.
    """
    archives, unread = {}, []
    home = state_dir.path_of()
    for path in _files(home):
        try:
            if lines := without.count(path, key):
                archives[path] = lines
        except (OperationFailed, UsageError) as error:
            unread.append(error.message.rstrip("."))
    begin = f"{edit_session.file_name(name)}-"
    edits = [each for each in _files_in(home / EDITS) if each.name.startswith(begin)]
    return Copies(archives, edits, unread)


def removed(copies: Copies, key: bytes) -> int:
    """Remove the copies that were found; return how many there were. Raises OperationFailed."""
    count = sum(without.remove(path, key) for path in copies.archives if path.exists())
    for path in copies.edits:
        with state_dir.usable(path.parent):
            path.unlink(missing_ok=True)
    return count + len(copies.edits)


def _files(home: Path) -> Iterator[Path]:
    """Yield the archives in the state directory, after removing what killed writers left there."""
    temporary_files.sweep(home)
    for each in sorted(home.rglob("*")):
        if each.is_dir() and not each.is_symlink():
            temporary_files.sweep(each)
        # The audit log has keyed hashes of phones, and no sessions.
        if (
            each.name.endswith(_ARCHIVES)
            and each != log.path()
            and each.is_file()
            and not each.is_symlink()
        ):
            yield each


def _files_in(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []
