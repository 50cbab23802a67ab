"""Flush and delete with a backup: exactly what was kept is deleted.

What changes between the two is left as it is and counted; so is what could not be read.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from pawsctl.connection import Account, Outcome
from pawsctl.connection.scan.one_server import WRITTEN
from pawsctl.errors import OperationFailed
from pawsctl.plurals import plural
from pawsctl.safety.backups.keep import (
    Kept,
    Progress,
    Undo,
    keep,
    no_backup_helps,
    snapshots_of,
    tell,
)
from pawsctl.sessions.contract.keyspace import Keyspace
from pawsctl.sessions.contract.saved import Saved
from pawsctl.sessions.edit import flush as flushing
from pawsctl.sessions.edit import touch_delete
from pawsctl.sessions.edit.flush import Flush, Flushed
from pawsctl.sessions.edit.touch_delete import Deleted, DeletedOrLeft
from pawsctl.sessions.store.accounting import accounted, may_not, of_keys
from pawsctl.sessions.store.primaries import Primaries
from pawsctl.sessions.store.records import NotRead
from pawsctl.sessions.store.store import SessionStore
from pawsctl.sessions.store.unchanged import Fate, UnchangedDeleter


def flush(store: SessionStore, planned: Flush, *, undo: Undo | None, progress: Progress) -> Flushed:
    """Delete the planned keys, after they were kept for `undo`.

    Raises Interrupted on Ctrl-C; this and every other failure say how far the flush got. Keys that
    can't be kept are not deleted: Partial. Those that this user may not delete are told at the end.
    """
    kept = None
    if undo is not None:
        with accounted(store.connection, flushing.account, may_move=True):
            kept = keep(
                store,
                lambda: flushing.meant(store, planned),
                undo,
                progress,
                without=lambda: _may_delete(store, planned),
            )
    if undo is None or kept is None:
        total = planned.plan.total if planned.plan else None
        with progress("deleting", total) as advance:
            return flushing.flush(store, planned, progress=advance)
    with accounted(store.connection, flushing.account, may_move=True) as outcome:
        tell(kept, undo)
        primaries = Primaries(store.connection)
        kinds, fates = Counter[str](), Counter[Fate]()
        with progress("deleting", kept.sessions) as advance:
            for batch, found in _deletions(store, kept):
                fates.update(found)
                kinds.update(
                    each.dumped
                    for each, fate in zip(batch, found, strict=True)
                    if each.dumped and fate == "deleted"
                )
                advance(len(batch))
        primaries.require_same()
        _require_all(store, planned, kept)
    return Flushed(
        url=store.connection.target.url,
        deleted=outcome().done,
        others=dict(kinds),
        unknown=len(outcome().unknown),
        changed=fates["changed"],
        backup=kept.name,
        left_out=dict(store.left_out) or None,
    )


def delete(
    store: SessionStore, names: Sequence[bytes], *, undo: Undo | None, progress: Progress
) -> list[Deleted]:
    """Delete each session, after it was kept for `undo`; one named twice is in the result once."""
    names = list(dict.fromkeys(names))
    if undo is None:
        return touch_delete.delete(store, names)
    store.require_strings(names)

    def account(outcome: Outcome) -> Account:
        return of_keys("deleted", outcome, noun="session", named=store.keyspace.shown_name)

    with accounted(store.connection, account, may_move=True):
        # Else conversations would be kept for nothing, and the refusal be taken for one of scripts.
        store.require_deleting()
        kept = keep(
            store,
            lambda: snapshots_of(store, [names]),
            undo,
            progress,
            without=lambda: store.refusals_of([(b"DEL", key) for key in names]) == [],
        )
    if kept is None:
        return touch_delete.delete(store, names)
    fates: dict[bytes, Fate] = {}
    with accounted(store.connection, account):
        if kept.path is not None:
            tell(kept, undo)
            for batch, found in _deletions(store, kept):
                fates.update(zip((each.key for each in batch), found, strict=True))
        if refused := [key for key in names if fates.get(key) == "refused"]:
            raise may_not("delete", refused, store.keyspace.shown_name)
    return _results(store.keyspace, names, fates)


def _results(space: Keyspace, names: Sequence[bytes], fates: Mapping[bytes, Fate]) -> list[Deleted]:
    results = [
        DeletedOrLeft(
            space.shown_name(key),
            space.shown_key(key),
            deleted=fates.get(key) == "deleted",
            changed=fates.get(key) == "changed",
        )
        for key in names
    ]
    if any(each.changed for each in results):
        return list(results)
    return [Deleted(each.phone, each.key, each.deleted) for each in results]


def require_unchanged(count: int) -> None:
    """Raise OperationFailed if sessions were left since they had changed."""
    if count:
        raise OperationFailed(
            f"Left {plural(count, 'session')} that changed while a backup was made.",
            hint="Run it again if they are to be deleted too.",
        )


def _deletions(store: SessionStore, kept: Kept) -> Iterator[tuple[Sequence[Saved], Sequence[Fate]]]:
    """Delete the keys of a backup that have not changed; yield what came of each, in batches."""
    if kept.path is None:
        return
    deleter = UnchangedDeleter(store)
    with kept.opened() as archive:
        for batch in archive.batches(WRITTEN):
            saved = [each for _, each in batch if isinstance(each, Saved)]
            yield saved, deleter.delete(saved)


def _may_delete(store: SessionStore, planned: Flush) -> bool:
    """Return whether what is left of a flush may be deleted, as far as Redis tells."""
    if planned.names:
        return store.refusals_of([(b"UNLINK", key) for key in planned.names]) == []
    return all(store.may_delete_all(pattern) for pattern in planned.patterns)


def _require_all(store: SessionStore, planned: Flush, kept: Kept) -> None:
    """Raise Partial if keys were not kept, OperationFailed if this user may not delete some."""
    unkept = ""
    if kept.missing is not None:
        unkept = f"{kept.missing.message} They were not kept, and so not deleted."
    try:
        store.require_deleted()
    except OperationFailed as error:
        raise error.with_context(before=unkept) from error
    if kept.missing is not None:
        # If a part of a cluster did not answer, nothing helps, and it is not waited for once more.
        is_there = isinstance(kept.missing, NotRead)
        helps = is_there and no_backup_helps(store, lambda: _may_delete(store, planned))
        raise kept.missing.with_context(
            after="They were not kept, and so not deleted.",
            hint="--no-backup deletes without keeping." if helps else "",
        )
