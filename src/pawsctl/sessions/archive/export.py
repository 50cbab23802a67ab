"""Writing all sessions to an archive."""

import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import msgspec

from pawsctl.files.atomic_file import Write
from pawsctl.sessions.archive import target_file
from pawsctl.sessions.archive.write import ArchiveWriter
from pawsctl.sessions.contract import pseudonyms
from pawsctl.sessions.contract.keyspace import Keyspace
from pawsctl.sessions.contract.model import Columns, Record
from pawsctl.sessions.contract.saved import LATEST_MS, Saved
from pawsctl.sessions.store.bulk_writer import clock_offset
from pawsctl.sessions.store.reader import SessionReader

Progress = Callable[[int], None]


class Exported(msgspec.Struct, frozen=True):
    """A complete archive. `file` is its absolute path, None if it went to stdout.

    `bytes` is its size before compression. `left_out` counts keys under the prefix that hold no
    string, by their type. Some sessions are `masked`, in the archive or already in Redis.
    """

    url: str
    file: str | None
    sessions: int
    bytes: int
    checksum: str
    left_out: dict[str, int]
    masked: bool


def to_file(
    store: SessionReader, path: Path, progress: Progress, *, overwrite: bool = False
) -> Exported:
    """Write an archive to `path`; the file appears only when it is complete.

    Calls `progress` with the number of sessions in each batch. Raises UsageError if the file exists
    and `overwrite` is false, OperationFailed if it can't be written, and what the store raises.
    """
    with target_file.writing(path, overwrite=overwrite) as write:
        exported = _to_stream(store, write, progress)
    return msgspec.structs.replace(exported, file=str(path.resolve()))


def to_stdout(store: SessionReader, write: Write, progress: Progress) -> Exported:
    """Write an archive with `write`, as a terminal or a log may show it."""
    return _to_stream(store, write, progress, shown=True)


def _to_stream(
    store: SessionReader, write: Write, progress: Progress, *, shown: bool = False
) -> Exported:
    """Write an archive with `write`, piece by piece; without its last line it is incomplete.

    Calls `progress` with the number of sessions in each batch.
    """
    left_out: Counter[str] = Counter()
    # If it can't be reached, nothing is written, not even the first line.
    store.connection.connect()
    # By the server's clock, which decides when keys expire.
    offset = clock_offset(store)
    url = store.connection.target.url
    keyspace, now = store.keyspace, time.time() + offset
    has_masked = is_masked = keyspace.mask is not None
    writer = ArchiveWriter(
        write, source=url, keyspace=keyspace, now=now, masked=is_masked, shown=shown
    )
    for asked_at, found in store.timed_columns(keyspace.pattern()):
        if found.types:
            left_out.update(found.types)
            continue
        has_masked = has_masked or pseudonyms.any_masked(found.keys, found.values, keyspace.prefix)
        saved = _saved(found, int((asked_at + offset) * 1000))
        writer.add([_shown(each, keyspace) for each in saved] if is_masked else saved)
        progress(len(saved))
    checksum = writer.finish()
    return Exported(url, None, writer.sessions, writer.bytes, checksum, left_out, has_masked)


def _saved(found: Columns, now_ms: int) -> list[Saved]:
    """Return strings with their expiries; their TTLs were asked for at `now_ms`."""
    longest, ttls = LATEST_MS - now_ms, found.ttls
    if max(ttls) > longest:
        ttls = [min(each, longest) for each in ttls]
    return [
        Saved(key, value, None if ttl_ms < 0 else now_ms + ttl_ms)
        for key, ttl_ms, value in zip(found.keys, ttls, found.values, strict=True)
    ]


def _shown(saved: Saved, keyspace: Keyspace) -> Saved:
    shown = keyspace.shown_record(Record(saved.key, 0, saved.value))
    return Saved(shown.key, shown.value or b"", saved.expires_at)
