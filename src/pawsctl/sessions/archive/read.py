"""Reading an archive: all of it is verified before the first session is yielded."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from pawsctl.connection.scan.seen_keys import SeenKeys
from pawsctl.errors import OperationFailed
from pawsctl.sessions.archive import jsonl_format, source_file
from pawsctl.sessions.archive.jsonl_format import Header, Rejected, Trailer
from pawsctl.sessions.archive.source_file import ArchiveSource
from pawsctl.sessions.contract import pseudonyms
from pawsctl.sessions.contract.keys import key_text
from pawsctl.sessions.contract.keyspace import BOT
from pawsctl.sessions.contract.saved import Saved

Numbered = tuple[int, Saved | Rejected]

# Bytes of lines that are held in memory for a batch, unless one line is longer.
_BATCH_BYTES = 1 << 20
# Bytes of a part that show whether its lines may be sessions, and the least that these have.
_PROBED = 4_096
_SHORTEST_LINE = 32
# Sessions that are looked at together.
_AT_A_TIME = 500


class Archive:
    """An archive, verified as complete and unchanged; `bytes` is its size before compression.

    Raises OperationFailed if it is not.
    """

    def __init__(self, source: ArchiveSource) -> None:
        self._source = source
        self.name = source.name
        proof = _Proof(source.name)
        for chunk in source.chunks():
            proof.add(chunk)
        self.header, self.count, self.checksum = proof.result()
        self.bytes = proof.bytes
        self._may_hold_masked = proof.may_hold_masked

    @property
    def prefix(self) -> str:
        """The prefix of all keys."""
        return self.header.prefix or BOT.prefix

    def masked(self) -> str:
        """Return a clause on this archive if it holds masked sessions, whatever its header says.

        Returns '' if it holds none. Raises what `batches` raises.
        """
        if self.header.masked:
            return "is masked: its phones and texts are nobody's"
        # Only an archive with such names is read once more.
        is_found = self._may_hold_masked and any(
            isinstance(each, Saved) and pseudonyms.is_masked(each.key, each.value, self.prefix)
            for batch in self.batches(_AT_A_TIME)
            for _, each in batch
        )
        return "holds masked sessions: their phones and texts are nobody's" if is_found else ""

    def batches(self, size: int) -> Iterator[list[Numbered]]:
        """Yield the sessions with the numbers of their lines, `size` at a time; large ones fewer.

        Of lines with the same key, all but the first are rejected: no key has two values. Raises
        OperationFailed if a session is too large for the free memory, or if the file is not
        the one any more that was verified.
        """
        # The header is the first line.
        number = 2
        held: list[Saved | Rejected] = []
        held_bytes = 0
        known = SeenKeys()
        try:
            for found, count in self._unchanged_lines():
                held += _first_of_each(found, known)
                held_bytes += count
                while len(held) >= size or (held and held_bytes >= _BATCH_BYTES):
                    batch = list(enumerate(held[:size], number))
                    del held[:size]
                    number += len(batch)
                    held_bytes = 0
                    yield batch
            if held:
                yield list(enumerate(held, number))
        except MemoryError:
            # Not raised here: until this block ends, all that was read so far stays in memory.
            pass
        else:
            return
        raise OperationFailed(
            f"There is not enough memory for what follows line {number - 1} of {self.name}.",
            hint="Use a machine that has more, or another archive.",
        )

    def _unchanged_lines(self) -> Iterator[tuple[list[Saved | Rejected], int]]:
        """Yield what the lines between header and trailer hold, some at a time, and their bytes.

        Raises OperationFailed if they are not as many as when the archive was verified.
        """
        is_kept = bool(self.header.kept_before)
        lines, cause = 0, None
        try:
            for body in self._bodies():
                found = jsonl_format.read_lines(body, self.prefix, undo=is_kept)
                lines += len(found)
                yield found, len(body)
        except OperationFailed as error:
            # It was readable, so that what is wrong with it now is new.
            cause = error
        if cause is not None or lines != self.count:
            raise OperationFailed(
                f"{self.name} was changed while it was read.",
                hint="Look at what writes to it, and take one that nobody does.",
            ) from cause

    def _bodies(self) -> Iterator[bytes]:
        """Yield the lines between header and trailer, in blocks."""
        is_first = True
        held = b""
        for block in self._source.blocks():
            end = block.rfind(b"\n", 0, len(block) - 1) + 1
            body, held = held + block[:end], block[end:]
            if body and is_first:
                is_first = False
                body = body[body.index(b"\n") + 1 :]
            if body:
                yield body


def _first_of_each(found: list[Saved | Rejected], known: SeenKeys) -> list[Saved | Rejected]:
    """Return what lines hold with those rejected whose key was `known` before them."""
    keys = [each.key for each in found if isinstance(each, Saved)]
    fresh = known.fresh(keys)
    if len(fresh) == len(keys):
        return found
    left = iter(fresh)
    following = next(left, None)
    taken: list[Saved | Rejected] = []
    for each in found:
        if isinstance(each, Saved) and each.key != following:
            taken.append(Rejected(f"the key {key_text(each.key)!r} stands in an earlier line"))
            continue
        if isinstance(each, Saved):
            following = next(left, None)
        taken.append(each)
    return taken


class _Proof:
    """Verifies an archive, chunk by chunk; keeps only the last line so far in memory."""

    def __init__(self, name: str) -> None:
        self.bytes = 0
        self.may_hold_masked = False
        self._name = name
        self._header: Header | None = None
        self._checksum = hashlib.sha256()
        self._lines = 0
        # The last line, if short enough for a trailer; else, how much of it has passed.
        self._last = b""
        self._passed = self._escapes = 0

    def add(self, chunk: bytes) -> None:
        """Take the next chunk. Raises OperationFailed for content that no archive has."""
        self.bytes += len(chunk)
        data = self._last + chunk
        if self._header is None:
            end = data.find(b"\n") + 1
            if not end and len(data) <= jsonl_format.LONGEST_HEADER:
                self._last = data
                return
            self._header = _header(data[:end], self._name)
        end = data.rfind(b"\n", 0, len(data) - 1) + 1
        self._last = data[end:]
        if len(self._last) > jsonl_format.LONGEST_HEADER:
            # Too long for a trailer, so its bytes need not be kept.
            end, self._last = len(data), b""
        self._pass(data, end)

    def _pass(self, data: bytes, end: int) -> None:
        """Count the lines before the trailer, and check the length of those longer than a chunk.

        They are in `data` up to `end`.
        """
        passed = memoryview(data)[:end]
        self._checksum.update(passed)
        count = self._looked_through(data, passed)
        self._lines += count
        begin = 0
        if count:
            self._require_short(data, 0, data.index(b"\n"))
            self._passed = self._escapes = 0
            begin = data.rindex(b"\n", 0, end) + 1
        if begin < end:
            self._require_short(data, begin, end)

    def _looked_through(self, data: bytes, passed: memoryview) -> int:
        """Look for masked sessions, and return the number of lines that end in `passed`."""
        if data.count(b"\n", 0, _PROBED) > _PROBED // _SHORTEST_LINE:
            # No sessions: an object for each line would take minutes for a bomb of them.
            self.may_hold_masked = True
            return data.count(b"\n", 0, len(passed))
        lines = jsonl_format.divided(passed)
        # The beginning of a line is never divided: it is kept as `_last`.
        self.may_hold_masked = self.may_hold_masked or pseudonyms.may_hold_masked(lines)
        # The last is counted when its end has come.
        return len(lines) - bool(lines and not lines[-1].endswith(b"\n"))

    def _require_short(self, data: bytes, begin: int, end: int) -> None:
        self._passed += end - begin
        self._escapes += data.count(b"\\", begin, end)
        if jsonl_format.is_too_long(self._passed, self._escapes):
            raise self._unusable(
                f"has a line of more than {self._passed} bytes, which no session has"
            )

    def result(self) -> tuple[Header, int, str]:
        """Return header, number of sessions and checksum.

        Raises OperationFailed if the archive is incomplete or was changed.
        """
        if not self.bytes:
            raise self._unusable("is empty")
        header = self._header or _header(self._last, self._name)
        trailer = jsonl_format.read_line(self._last, Trailer) if self._lines else None
        if trailer is None:
            raise self._unusable("is cut short or was added to: its last line is not the trailer")
        if trailer.count != self._lines - 1:
            joined = (
                ", as where two archives were joined" if trailer.count < self._lines - 1 else ""
            )
            raise self._unusable(
                f"was changed: {self._lines - 1} lines stand between its header and its trailer, "
                f"which counts {trailer.count} sessions{joined}"
            )
        digest = f"sha256:{self._checksum.hexdigest()}"
        if trailer.checksum != digest:
            raise self._unusable("was changed: its checksum is not that of its content")
        return header, trailer.count, digest

    def _unusable(self, what: str) -> OperationFailed:
        return _unusable(self._name, what)


def _header(line: bytes, name: str) -> Header:
    is_short = len(line) <= jsonl_format.LONGEST_HEADER
    header = jsonl_format.read_line(line, Header) if is_short else None
    if header is None or header.format != jsonl_format.FORMAT:
        raise _unusable(name, "is no archive of sessions: its first line is not the header")
    if header.version != jsonl_format.VERSION:
        other = "a newer one" if header.version > jsonl_format.VERSION else "the one that wrote it"
        raise OperationFailed(
            f"{name} has the format version {header.version}.",
            hint=f"This pawsctl reads version {jsonl_format.VERSION}; use {other}.",
        )
    return header


def _unusable(name: str, what: str) -> OperationFailed:
    return OperationFailed(f"{name} {what}.", hint="Nothing was changed. Use another archive.")


def header_of(name: str) -> Header:
    """Return the header of the archive in file `name`; the rest of it is not looked at.

    Raises UsageError if the file can't be read, OperationFailed if it does not begin with one.
    """
    with source_file.opened(name) as source:
        begin = b""
        for chunk in source.chunks():
            begin += chunk
            if b"\n" in begin or len(begin) > jsonl_format.LONGEST_HEADER:
                break
        return _header(begin[: begin.find(b"\n") + 1], source.name)


@contextmanager
def opened(name: str) -> Iterator[Archive]:
    """Open and verify the archive in file `name`, or on stdin for `-`.

    Raises UsageError if the file can't be read, OperationFailed if it is not sound.
    """
    with source_file.opened(name) as source:
        yield Archive(source)
