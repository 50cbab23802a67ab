"""Import with --replace: what it replaces is kept first, and what changes meanwhile is left."""

from collections.abc import Iterator, Mapping, Sequence

from msgspec.structs import replace

from pawsctl.connection.scan.one_server import WRITTEN
from pawsctl.safety.backups.keep import Progress, Undo, keep, snapshots_of, tell
from pawsctl.sessions.archive import restore as importing
from pawsctl.sessions.archive.read import Archive
from pawsctl.sessions.archive.restore import How, Imported
from pawsctl.sessions.contract.saved import Saved
from pawsctl.sessions.store.bulk_writer import BulkWriter
from pawsctl.sessions.store.store import SessionStore


def restore(
    store: SessionStore, archive: Archive, how: How, *, undo: Undo | None, progress: Progress
) -> Imported:
    """Import an archive, after what it replaces was kept for `undo`.

    Raises what an import raises. A session that was changed, touched or made since is left.
    """
    importing.require_same_keyspace(store.keyspace, archive)
    kept = None
    if undo is not None and how.replace and not how.dry_run:
        kept = keep(
            store,
            lambda: snapshots_of(store, _names(archive)),
            undo,
            progress,
            without=lambda: _may_write(store, archive),
        )
    if undo is None or kept is None or kept.path is None:
        if kept is not None:
            # Nothing was there to be kept, so nothing is replaced.
            how = replace(how, kept_of=lambda _names: {})
        return _imported(store, archive, how, progress)
    with kept.opened() as backup:
        tell(kept, undo)
        in_order = _InOrder(_sessions(backup))
        how = replace(how, kept_of=in_order.of, backup=kept.name)
        return _imported(store, archive, how, progress)


def _imported(store: SessionStore, archive: Archive, how: How, progress: Progress) -> Imported:
    with progress("importing", archive.count) as advance:
        return importing.restore(store, archive, how, progress=advance)


def _may_write(store: SessionStore, archive: Archive) -> bool:
    """Return whether this user may write every session of an archive, as far as Redis tells."""
    writer = BulkWriter(store, replace=True)
    return all(writer.refusals(batch) == [] for batch in _batches(archive))


def _sessions(archive: Archive) -> Iterator[Saved]:
    for batch in _batches(archive):
        yield from batch


def _names(archive: Archive) -> Iterator[Sequence[bytes]]:
    for batch in _batches(archive):
        yield [each.key for each in batch]


def _batches(archive: Archive) -> Iterator[list[Saved]]:
    for batch in archive.batches(WRITTEN):
        yield [each for _, each in batch if isinstance(each, Saved)]


class _InOrder:
    """Looks up kept sessions by their keys; keys are asked for in the order of their keeping."""

    def __init__(self, kept: Iterator[Saved]) -> None:
        self._kept = kept
        self._next = next(kept, None)

    def of(self, names: Sequence[bytes]) -> Mapping[bytes, Saved]:
        """Return what was kept of these keys."""
        wanted = set(names)
        found = {}
        while self._next is not None and self._next.key in wanted:
            found[self._next.key] = self._next
            self._next = next(self._kept, None)
        return found
