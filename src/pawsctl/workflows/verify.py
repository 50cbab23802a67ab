"""Verify that an archive can be restored by restoring it into a throwaway server."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import msgspec
import psutil

from pawsctl.config.target import Target
from pawsctl.connection import connect
from pawsctl.errors import OperationFailed, RedisUnreachable, TimedOut
from pawsctl.plurals import plural
from pawsctl.sessions.archive.jsonl_format import Rejected
from pawsctl.sessions.archive.read import Archive, Numbered
from pawsctl.sessions.contract.saved import Saved
from pawsctl.sessions.store.store import SessionStore
from pawsctl.stack.engine.embedded import throwaway
from pawsctl.workflows.trial_restore import TrialRestore

_READY_SECONDS = 10.0
_PAUSE = 0.005
_TAIL_LINES = 15
# Sessions of 1 KB, this many at a time, stay in the processor's cache until they are compared.
_AT_A_TIME = 200
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
    `progress` with the size of each batch. Raises OperationFailed if anything differs, NoEngine if
    no server can be started.
    """
    _require_room(archive)
    with _throwaway_store() as store:
        trial = TrialRestore(store, archive.header.exported_at)
        differences: list[str] = []
        for batch in archive.batches(_AT_A_TIME):
            differences += trial.differences(_sound(batch))
            progress(len(batch))
        # Each batch was compared by itself; the count shows whether all are still there.
        count = store.connection.call("DBSIZE")
    if differences or count != archive.count:
        more = len(differences) - _TOLD
        raise OperationFailed(
            f"{archive.name} can't be restored as it was: {count} of {archive.count} sessions "
            f"came back, with {plural(len(differences), 'difference')}.",
            hint="Make a new archive, and keep this one until that is verified.",
            detail=(*differences[:_TOLD], *([f"and {more} more"] if more > 0 else [])),
        )
    return Verified(
        file=archive.name,
        source=archive.header.source,
        exported_at=archive.header.exported_at,
        sessions=count,
        bytes=trial.bytes,
        checksum=archive.checksum,
        expired=trial.expired,
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
    sessions = [found for _, found in batch if isinstance(found, Saved)]
    if len(sessions) < len(batch):
        number, reason = next(each for each in batch if isinstance(each[1], Rejected))
        raise OperationFailed(
            f"Line {number} can't be restored: {reason}.",
            hint="The archive is whole, so whatever made it made it so.",
        )
    return sessions
