"""Keeping records as a backup before they are changed.

A backup counts as kept when its file is on the disk, and was read back and found whole. What cannot
be read from Redis is not kept, and so must not be changed.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import NamedTuple

from pawsctl.connection import raise_for_error
from pawsctl.connection.scan.one_server import VALUES, slices
from pawsctl.errors import OperationFailed, Partial, PawsctlError, UsageError
from pawsctl.files.atomic_file import NotWritten
from pawsctl.files.state_dir import Unusable
from pawsctl.plurals import plural
from pawsctl.safety.backups import folder
from pawsctl.sessions.archive import read, target_file
from pawsctl.sessions.archive.read import Archive
from pawsctl.sessions.archive.write import ArchiveWriter
from pawsctl.sessions.contract.model import Record
from pawsctl.sessions.contract.saved import Saved, moment
from pawsctl.sessions.store.bulk_writer import clock_offset
from pawsctl.sessions.store.reader import SessionReader

LARGE = 256 * 1024 * 1024
"""Bytes of an archive, before compression, beyond which the user is asked."""

Snapshots = Iterator[tuple[float, list[Record]]]
"""Batches of records, each with the time of asking in seconds since the epoch."""

Progress = Callable[[str, int | None], AbstractContextManager[Callable[[int], None]]]
"""Shows that something is being done, to so many; yields a function that advances it."""


class Undo(NamedTuple):
    """How a command keeps what it changes.

    `ask` takes a sentence on what stands in the way and a question; it raises NotConfirmed if the
    answer is no. `say` tells the user a sentence. The backup lives for `hours`. `restoring` returns
    the command that brings back the backup of a name. `swept` is called with the number of backups
    that were removed since their time was up.
    """

    before: str
    hours: float
    ask: Callable[[str, str], None]
    say: Callable[[str], None]
    large: int = LARGE
    restoring: Callable[[str], str] = "pawsctl backup restore {}".format
    swept: Callable[[int], None] = lambda _count: None


class Kept(NamedTuple):
    """The result of keeping: the number of keys, in the archive `path` (None if there was nothing).

    `missing` is the failure for keys that could not be read.
    """

    path: Path | None
    sessions: int
    checksum: str
    missing: Partial | None

    @property
    def name(self) -> str | None:
        """The name by which users call the backup."""
        return folder.name_of(self.path) if self.path else None

    @contextmanager
    def opened(self) -> Iterator[Archive]:
        """Open the archive, after a look whether it is what was written.

        Raises OperationFailed if it is not.
        """
        with read.opened(str(self.path)) as archive:
            if (archive.count, archive.checksum) != (self.sessions, self.checksum):
                raise OperationFailed(
                    f"The backup {self.path} is not what was written to it.",
                    hint="Nothing was changed. Look at the disk.",
                )
            yield archive


class _Large(Exception):
    """The archive is larger than may be kept unasked."""


def keep(
    store: SessionReader,
    snapshots: Callable[[], Snapshots],
    undo: Undo,
    progress: Progress,
    *,
    without: Callable[[], bool] = lambda: True,
) -> Kept | None:
    """Keep records as a backup; None if there is no room and the user goes on without one.

    Removes backups whose time is up first. Raises NotConfirmed if the user does not go on, and what
    the store raises. If Redis refuses, `without` returns whether it would let the command run
    without a backup.
    """
    try:
        try:
            if count := folder.sweep(undo.hours):
                undo.say(folder.swept_text(count))
                undo.swept(count)
            return _tried(store, snapshots, undo, undo.large, progress)
        except _Large:
            megabytes = undo.large // 1024**2
            undo.ask(f"The backup would be larger than {megabytes} MB.", "Keep it all the same?")
            return _tried(store, snapshots, undo, None, progress)
    except (NotWritten, Unusable) as error:
        undo.ask(f"No backup can be kept: {error.message}", "Go on without one?")
        return None
    except (OperationFailed, UsageError) as error:
        helps = no_backup_helps(store, without)
        raise error.with_context(hint="--no-backup keeps nothing." if helps else "") from error


def no_backup_helps(store: SessionReader, without: Callable[[], bool]) -> bool:
    """Return whether a command would run with --no-backup; false if Redis does not tell."""
    # Replies of a pass that was given up may be under way.
    store.connection.close()
    try:
        return without()
    except PawsctlError:
        return False


def _tried(
    store: SessionReader,
    snapshots: Callable[[], Snapshots],
    undo: Undo,
    most: int | None,
    progress: Progress,
) -> Kept:
    reading = _Reading(store)
    batches = reading.batches(snapshots())
    first = next(batches, None)
    if first is None:
        return Kept(None, 0, "", reading.missing)
    path = folder.new(undo.before)
    with progress("keeping", None) as advance, target_file.writing(path, overwrite=False) as write:
        url, now = store.connection.target.url, time.time() + reading.offset
        writer = ArchiveWriter(
            write,
            source=url,
            keyspace=store.keyspace,
            now=now,
            kept_before=undo.before,
            kept_hours=undo.hours,
        )
        while first:
            writer.add(first)
            advance(len(first))
            if most is not None and writer.bytes > most:
                raise _Large
            first = next(batches, None)
        checksum = writer.finish()
    return Kept(path, writer.sessions, checksum, reading.missing)


def keep_keys(
    store: SessionReader, names: Sequence[bytes], undo: Undo | None, progress: Progress
) -> None:
    """Keep these keys as a backup, and say so; do nothing if `undo` is None."""
    kept = keep(store, lambda: snapshots_of(store, [names]), undo, progress) if undo else None
    if undo is not None and kept is not None and kept.path is not None:
        with kept.opened():
            tell(kept, undo)


def snapshots_of(store: SessionReader, batches: Iterable[Sequence[bytes]]) -> Snapshots:
    """Yield the records of keys, in batches."""
    for names in batches:
        for some in slices(names, VALUES):
            now = time.time()
            yield now, [record for record in store.records_of(some) if record]


def tell(kept: Kept, undo: Undo) -> None:
    """Tell the user what was kept, and how to bring it back."""
    if kept.name is not None:
        count = plural(kept.sessions, "key")
        undo.say(f"Kept {count} for {undo.hours:g} h; back with: {undo.restoring(kept.name)}")


class _Reading:
    """Reads what is to be kept; `missing` is set at the end, if some of it can't be read."""

    def __init__(self, store: SessionReader) -> None:
        self.missing: Partial | None = None
        # By the server's clock, which decides when keys expire.
        self.offset = clock_offset(store)
        self._store = store

    def batches(self, snapshots: Snapshots) -> Iterator[list[Saved]]:
        """Yield all there is, in batches that are not empty."""
        try:
            for asked_at, records in snapshots:
                now_ms = int((asked_at + self.offset) * 1000)
                if saved := [*self._strings(records, now_ms), *self._dumps(records, now_ms)]:
                    yield saved
        except Partial as error:
            self.missing = error

    def _strings(self, records: Sequence[Record], now_ms: int) -> Iterator[Saved]:
        for each in records:
            if each.value is not None:
                yield Saved(each.key, each.value, _expiry(each, now_ms))

    def _dumps(self, records: Sequence[Record], now_ms: int) -> Iterator[Saved]:
        others = [each for each in records if each.value is None]
        if not others:
            # Replies of a pass may be under way. Keys of other types come last, when none are.
            return
        replies = self._store.connection.pipeline([("DUMP", each.key) for each in others])
        for each, reply in zip(others, replies, strict=True):
            if raise_for_error(reply) is not None:
                yield Saved(each.key, reply, _expiry(each, now_ms), each.type)


def _expiry(record: Record, now_ms: int) -> int | None:
    return None if record.ttl_ms < 0 else moment(now_ms + record.ttl_ms)
