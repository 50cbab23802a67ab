"""The copies of sessions that pawsctl itself keeps in its state directory.

These are backups before a change, exports of resets, texts that `session edit` did not write, and
drafts that killed ones left.
"""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from pawsctl.errors import OperationFailed, UsageError
from pawsctl.files import editor, links, state_dir, temporary_files
from pawsctl.safety.audit import log
from pawsctl.sessions.archive import without
from pawsctl.sessions.archive.without import Lines
from pawsctl.sessions.edit import edit_session

EDITS = "session.edits"
_ARCHIVES = (".jsonl", ".jsonl.gz")


class Copies(msgspec.Struct, frozen=True):
    """The archives with lines of a session, the kept edits of it, and why others are not known.

    An edit is a file, or the folder of a draft.
    """

    archives: dict[Path, Lines]
    edits: list[Path]
    unread: list[str]

    @property
    def lines(self) -> int:
        """The number of lines in all archives."""
        return sum(each.count for each in self.archives.values())

    def lines_of(self, url: str) -> int:
        """Return the number of lines in archives of that Redis."""
        return sum(each.count for each in self.archives.values() if each.source == url)


def found(key: bytes, name: str) -> Copies:
    """Return all copies of the session with that key, whose phone is `name`.

    Raises what `state_dir.path_of` raises.
    """
    archives, unread = {}, list[str]()
    home = state_dir.path_of()
    for path in _files(home, unread):
        try:
            lines = without.lines_of(path, key)
            if lines.count:
                archives[path] = lines
        except (OperationFailed, UsageError) as error:
            unread.append(error.message.rstrip("."))
    return Copies(archives, _edits(home / EDITS, name, unread), unread)


def remove(copies: Copies, key: bytes, erased: Callable[[str, int], None]) -> list[str]:
    """Remove the copies that were found; return clauses on those that can't be.

    Calls `erased` for each with the URL that it is from ('' for an edit) and the number removed.
    """
    failures = []
    for path, lines in copies.archives.items():
        try:
            if path.exists():
                erased(lines.source, without.remove(path, key))
        except (OperationFailed, UsageError) as error:
            failures.append(error.message.rstrip("."))
    for path in copies.edits:
        try:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
            erased("", 1)
        except OSError as error:
            failures.append(f"{path} can't be removed: {error.strerror or error}")
    return failures


def _files(home: Path, unread: list[str]) -> Iterator[Path]:
    """Yield each archive in the state directory once; add clauses to `unread` on what is closed.

    Links are followed, as they are where backups are made. What killed writers left is removed.
    """

    def refuse(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):
            unread.append(f"{error.filename} can't be read: {error.strerror or error}")

    seen = set[Path]()
    for name, folders, names in os.walk(home, onerror=refuse, followlinks=True):
        folder = Path(name)
        if not _is_new(folder, seen, unread):
            folders.clear()
            continue
        temporary_files.sweep(folder)
        folders.sort()
        for path in sorted(folder / each for each in names):
            if path.is_symlink() and not path.exists():
                unread.append(f"{path} is a link that leads nowhere")
            elif temporary_files.is_one(path) and ".jsonl" in path.name.lower() and path.exists():
                unread.append(f"{path} is being written")
            # The audit log has keyed hashes of phones, and no sessions.
            elif (
                path.name.lower().endswith(_ARCHIVES)
                and path != log.path()
                and path.is_file()
                and _is_new(path, seen, unread)
            ):
                yield path


def _is_new(path: Path, seen: set[Path], unread: list[str]) -> bool:
    """Return whether a path may be followed, and leads to none of those that were seen."""
    try:
        place = links.resolved(path)
    except UsageError as error:
        unread.append(error.message.rstrip("."))
        return False
    except OSError as error:
        unread.append(f"{path} can't be read: {error.strerror or error}")
        return False
    is_new = place not in seen
    seen.add(place)
    return is_new


def _edits(folder: Path, name: str, unread: list[str]) -> list[Path]:
    """Return the texts of a phone that were not written, and drafts that killed edits left."""
    stem = edit_session.file_name(name)
    # Editors keep swap files and backups beside the file.
    drafted = re.compile(rf"[.#]*{re.escape(stem)}\.json.*", re.DOTALL)
    found = []
    try:
        for draft, is_open in editor.drafts(folder):
            if any(drafted.fullmatch(each.name) for each in draft.iterdir()):
                if is_open:
                    unread.append(f"{draft} is open in an editor")
                else:
                    found.append(draft)
        kept = sorted(folder.iterdir()) if folder.is_dir() else []
    except OSError as error:
        unread.append(f"{error.filename or folder} can't be read: {error.strerror or error}")
        return found
    return [*found, *(each for each in kept if each.name.startswith(f"{stem}-"))]
