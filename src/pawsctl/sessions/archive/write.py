"""Writing an archive, piece by piece, in constant memory."""

import hashlib
from collections.abc import Sequence

from pawsctl import escaping
from pawsctl.files.atomic_file import Write
from pawsctl.sessions.archive import jsonl_format
from pawsctl.sessions.contract.keyspace import Keyspace
from pawsctl.sessions.contract.saved import Saved


class ArchiveWriter:
    """Writes an archive with `write`; without its last line, from `finish`, it is incomplete.

    `now` is seconds since the epoch, the others are as in the header. For `shown` archives, which a
    terminal or a log may show, dangerous characters in the JSON are escaped; the values are the
    same.
    """

    def __init__(
        self,
        write: Write,
        *,
        source: str,
        keyspace: Keyspace,
        now: float,
        kept_before: str = "",
        kept_hours: float = 0,
        masked: bool = False,
        shown: bool = False,
    ) -> None:
        self._write, self._prefix, self._shown = write, keyspace.prefix, shown
        self._checksum = hashlib.sha256()
        self.sessions = self.bytes = 0
        header = jsonl_format.header(
            source, now, keyspace, kept_before=kept_before, kept_hours=kept_hours, masked=masked
        )
        self._put(header)

    def _put(self, piece: bytes) -> None:
        if self._shown:
            piece = escaping.json_lines(piece)
        self._checksum.update(piece)
        self.bytes += len(piece)
        self._write(piece)

    def add(self, sessions: Sequence[Saved]) -> None:
        """Write a line for each session."""
        if sessions:
            self._put(jsonl_format.lines(sessions, self._prefix))
        self.sessions += len(sessions)

    def finish(self) -> str:
        """Write the last line and return the checksum of all before it."""
        checksum = f"sha256:{self._checksum.hexdigest()}"
        self._put(jsonl_format.trailer(self.sessions, checksum))
        return checksum
