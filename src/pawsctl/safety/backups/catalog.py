"""Backups as they are listed and shown."""

import time
from collections.abc import Iterator
from datetime import datetime

import msgspec

from pawsctl.errors import OperationFailed, UsageError
from pawsctl.safety.backups import folder
from pawsctl.safety.backups.folder import Place
from pawsctl.sessions.archive import read
from pawsctl.sessions.archive.read import Archive
from pawsctl.sessions.contract import decode
from pawsctl.sessions.contract.keyspace import Keyspace
from pawsctl.sessions.contract.mask import Mask
from pawsctl.sessions.contract.saved import Saved

_BATCH = 500


class Backup(msgspec.Struct, frozen=True):
    """A backup. `before` is the command that it was made before, and `url` where it is from.

    `sessions` counts its keys, and `bytes` is the size of its file. One that can't be read has a
    `problem`, and neither `url` nor `sessions`. It is removed after `expires_at`;
    without one, when there is a newer one.
    """

    name: str
    made_at: datetime
    expires_at: datetime | None
    before: str
    url: str | None
    sessions: int | None
    bytes: int
    file: str
    problem: str | None


class BackupSession(msgspec.Struct, frozen=True):
    """A key in a backup. `ttl` is the seconds that it would have left: -1 for never, 0 if expired.

    `type` is that of the key, and `messages` counts those of a session that can be read.
    """

    phone: str
    key: str
    ttl: int
    type: str
    messages: int | None
    bytes: int


def listed(hours: float) -> Iterator[Backup]:
    """Yield all backups, the newest first; each is read and verified. Those that do
    not say how long they live, live `hours`.
    """
    for each in folder.every():
        url, sessions, problem = None, None, None
        try:
            with read.opened(str(each.path)) as archive:
                url, sessions = archive.header.source, archive.count
        except (OperationFailed, UsageError) as error:
            problem = error.message
        yield _backup(each, hours, url, sessions, problem)


def _backup(
    place: Place, hours: float, url: str | None, sessions: int | None, problem: str | None
) -> Backup:
    try:
        size = place.path.stat().st_size
    except OSError:
        # Removed meanwhile.
        size = 0
    return Backup(
        name=place.name,
        made_at=place.made_at,
        expires_at=None if place.stays else folder.expiry(place, hours),
        before=place.before,
        url=url,
        sessions=sessions,
        bytes=size,
        file=str(place.path),
        problem=problem,
    )


def sessions(archive: Archive, mask: Mask | None) -> Iterator[BackupSession]:
    """Yield the keys in a backup, with a `mask` masked."""
    space = Keyspace(archive.prefix, mask=mask)
    now_ms = time.time() * 1000
    for batch in archive.batches(_BATCH):
        for _, found in batch:
            if isinstance(found, Saved):
                yield _session(found, space, now_ms)


def _session(saved: Saved, space: Keyspace, now_ms: float) -> BackupSession:
    session = None if saved.dumped else decode.read(saved.value).session
    return BackupSession(
        phone=space.shown_name(saved.key),
        key=space.shown_key(saved.key),
        ttl=-1 if saved.expires_at is None else max(0, int((saved.expires_at - now_ms) / 1000)),
        type=saved.dumped or "string",
        messages=len(session.messages) if session else None,
        bytes=len(saved.value),
    )
