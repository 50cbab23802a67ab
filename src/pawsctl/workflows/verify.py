"""Verify that an archive can be restored by restoring it into a throwaway server."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import msgspec
import psutil

from pawsctl.config.target import Target
from pawsctl.connection import ErrorReply, connect, raise_for_error, refused, ttls_of
from pawsctl.connection.scan.one_server import WRITTEN
from pawsctl.errors import OperationFailed, RedisUnreachable, TimedOut
from pawsctl.sessions.archive.jsonl_format import Rejected
from pawsctl.sessions.archive.read import Archive, Numbered
from pawsctl.sessions.contract.keys import key_text
from pawsctl.sessions.contract.saved import Saved, moment
from pawsctl.sessions.store.bulk_writer import BulkWriter
from pawsctl.sessions.store.store import SessionStore
from pawsctl.stack.engine.embedded import throwaway

_READY_SECONDS = 10.0
_PAUSE = 0.005
_TAIL_LINES = 15
_TTL_TOLERANCE_MS = 1_000
# Time added to every session's TTL, so that none expires during the comparison.
_GRACE_MS = 3_600_000
# Bytes of values that are read back at a time.
_MOST_BYTES = 1 << 20
# Differences that are listed in the error.
_TOLD = 5

Progress = Callable[[int], None]


class Verified(msgspec.Struct, frozen=True):
    """An archive that was restored into a throwaway server and is identical there.

    `bytes` is the size of all values; an import now would leave out the `expired` sessions.
    """

    file: str
    source: str
    exported_at: datetime
    sessions: int
    bytes: int
    checksum: str
    expired: int


def verify(archive: Archive, *, progress: Progress) -> Verified:
    """Restore an archive into a throwaway server, and compare count, bytes and TTLs.

    However old the archive is, every session gets the TTL it had when it was exported. Calls
    `progress` with the size of each batch, once for the restore and once for the comparison. Raises
    OperationFailed if anything differs, NoEngine if no server can be started.
    """
    _require_room(archive)
    with _throwaway_store() as store:
        writer = BulkWriter(store, replace=False)
        now_ms = writer.now_ms()
        shift_ms = int(now_ms - archive.header.exported_at.timestamp() * 1000) + _GRACE_MS
        size = expired = 0
        differences: list[str] = []
        for batch in archive.batches(WRITTEN):
            sessions = _sound(batch)
            size += sum([len(each.value) for each in sessions])
            moments = [each.expires_at for each in sessions if each.expires_at is not None]
            expired += len([each for each in moments if each <= now_ms])
            shifted = [_shifted(each, shift_ms) for each in sessions]
            differences += _unwritten(shifted, writer.write(shifted))
            progress(len(batch))
            differences += _unlike(shifted, store, writer)
            progress(len(batch))
        # What came back was there at once.
        count = store.connection.call("DBSIZE")
    if differences or count != archive.count:
        more = len(differences) - _TOLD
        raise OperationFailed(
            f"{archive.name} can't be restored as it was: {count} of {archive.count} sessions "
            f"came back, with {len(differences)} differences.",
            hint="Make a new archive, and keep this one until that is verified.",
            detail=(*differences[:_TOLD], *([f"and {more} more"] if more > 0 else [])),
        )
    return Verified(
        file=archive.name,
        source=archive.header.source,
        exported_at=archive.header.exported_at,
        sessions=count,
        bytes=size,
        checksum=archive.checksum,
        expired=expired,
    )


def _require_room(archive: Archive) -> None:
    """Raise OperationFailed if the sessions do not fit into this machine's free memory."""
    free = psutil.virtual_memory().available
    if archive.bytes > free:
        raise OperationFailed(
            f"{archive.name} holds {archive.bytes} bytes, and {free} bytes of memory are free.",
            hint="Verify it on a machine that can hold all of its sessions.",
        )


@contextmanager
def _throwaway_store() -> Iterator[SessionStore]:
    with throwaway.running() as server:
        target = Target(
            kind="standalone",
            addresses=(),
            origin="pawsctl itself",
            path=str(server.socket),
        )
        with SessionStore(connect(target)) as store:
            _wait_until_ready(store, server.log)
            yield store


def _wait_until_ready(store: SessionStore, log: Path) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while True:
        try:
            store.connection.call("PING")
        except RedisUnreachable as error:
            if time.monotonic() > deadline:
                lines = log.read_text("utf-8", "replace").splitlines() if log.exists() else []
                raise TimedOut(
                    f"The server for the comparison did not answer within {_READY_SECONDS:g} s.",
                    hint="Its log says why.",
                    detail=tuple(lines[-_TAIL_LINES:]),
                ) from error
            time.sleep(_PAUSE)
        else:
            return


def _sound(batch: Sequence[Numbered]) -> list[Saved]:
    """Return the sessions of a batch. Raises OperationFailed for a line that was rejected."""
    sessions = []
    for number, found in batch:
        if isinstance(found, Rejected):
            raise OperationFailed(
                f"Line {number} can't be restored: {found}.",
                hint="The archive is whole, so whatever made it made it so.",
            )
        sessions.append(found)
    return sessions


def _shifted(saved: Saved, by_ms: int) -> Saved:
    if saved.expires_at is None:
        return saved
    return Saved(saved.key, saved.value, moment(saved.expires_at + by_ms))


def _unwritten(sessions: Sequence[Saved], written: Sequence[bool | ErrorReply]) -> Iterator[str]:
    for saved, each in zip(sessions, written, strict=True):
        if isinstance(each, ErrorReply):
            raise refused(each)
        if not each:
            yield f"{key_text(saved.key)} stands there twice"


def _unlike(sessions: Sequence[Saved], store: SessionStore, writer: BulkWriter) -> Iterator[str]:
    """Yield a sentence for each difference between the stored sessions and the archive's."""
    for some in _portions(sessions):
        names = [each.key for each in some]
        # Not a float, which would round a moment far away to seconds.
        asked_ms = int(writer.now_ms())
        ttls, values = map(
            raise_for_error, store.connection.pipeline([ttls_of(names), ("MGET", *names)])
        )
        for saved, ttl_ms, value in zip(some, ttls, values, strict=True):
            if value is None:
                yield f"{key_text(saved.key)} is missing"
                continue
            if value != saved.value:
                yield f"{key_text(saved.key)} has another value"
            left_ms = -1 if saved.expires_at is None else saved.expires_at - asked_ms
            if (left_ms < 0) != (ttl_ms < 0) or abs(left_ms - ttl_ms) > _TTL_TOLERANCE_MS:
                yield f"{key_text(saved.key)} has {ttl_ms} ms to live and should have {left_ms}"


def _portions(sessions: Sequence[Saved]) -> Iterator[list[Saved]]:
    """Yield the sessions in portions whose values are held in memory twice."""
    some: list[Saved] = []
    size = 0
    for each in sessions:
        if some and size + len(each.value) > _MOST_BYTES:
            yield some
            some, size = [], 0
        some.append(each)
        size += len(each.value)
    if some:
        yield some
