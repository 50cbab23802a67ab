"""Bringing back what a backup holds."""

from contextlib import suppress

import msgspec

from pawsctl.config import redis_url
from pawsctl.connection import Connection
from pawsctl.errors import OperationFailed, RedisUnreachable, UsageError
from pawsctl.plurals import plural
from pawsctl.safety import look, places
from pawsctl.safety.backups import folder, replace
from pawsctl.safety.backups.folder import Place
from pawsctl.safety.backups.keep import Progress, Undo
from pawsctl.sessions.archive import read
from pawsctl.sessions.archive.read import Archive
from pawsctl.sessions.archive.restore import How, Rejection
from pawsctl.sessions.store.evictions import require_none
from pawsctl.sessions.store.store import SessionStore

_BY_OPTION = "option --url"
"""The origin of a target that the command names."""


class Restored(msgspec.Struct, frozen=True):
    """The numbers of a restore.

    `kept` keys exist and were left as they were; `expired` ones had no time left. `evicted` is the
    number of keys that Redis dropped meanwhile for lack of memory, None if it does not tell.
    `changed` were left: they changed after what they were replaced with was kept as `replaced`.
    """

    url: str
    backup: str
    restored: int
    kept: int
    expired: int
    rejected: int
    reasons: list[Rejection]
    evicted: int | None
    changed: int
    replaced: str | None


def require_target(archive: Archive, connection: Connection, place: Place, *, latest: bool) -> bool:
    """Return whether a backup is from elsewhere, and meant for the target, which --url names.

    Raises UsageError if that is not meant: without a --url, what production had must not come to
    whatever Redis the settings name; and the `latest` is not meant if the target has one of its
    own. A cluster is the same by whichever of its nodes it is named, as is a service by its
    Sentinels. Raises what connecting raises.
    """
    source, target = archive.header.source, connection.target
    if target.url == source or _is_from(source, connection):
        return False
    own = _newest_of(target.url)
    hint = "Name the Redis that it is to be restored into with --url."
    if own:
        hint = f"{hint} The newest from {target.url} is {own}."
    if target.origin == _BY_OPTION:
        if not (own and latest):
            return True
        hint = (
            f"The newest from {target.url} is {own}: write that in place of --latest, or "
            f"{place.name} to have that one there."
        )
    raise UsageError(
        f"The backup is from {source}, and the target is {target.url} (from {target.origin}).",
        hint=hint,
    )


def _newest_of(url: str) -> str:
    """Return the name of the newest backup from that Redis that is not of a restore, or ''."""
    for place in folder.every():
        with suppress(OperationFailed, UsageError):
            if place.before != "restore" and read.header_of(str(place.path)).source == url:
                return place.name
    return ""


def _is_from(source: str, connection: Connection) -> bool:
    target = connection.target
    try:
        place = redis_url.parse(source, origin="the backup")
    except UsageError:
        return False
    if places.is_same(place, target, ()):
        return True
    try:
        connection.connect()
    except RedisUnreachable:
        if target.origin == _BY_OPTION:
            raise
        # Nothing tells that this is the Redis that the backup is from, under another name.
        return False
    return places.is_same(place, target, look.addresses(connection))


def replaces(place: Place) -> bool:
    """Return whether what a backup holds exists again: its command replaced it."""
    return place.before not in ("flush", "delete", "reset")


def restore(
    store: SessionStore,
    archive: Archive,
    place: Place,
    how: How,
    *,
    undo: Undo | None,
    progress: Progress,
) -> Restored:
    """Write what a backup holds and has not expired, after what it replaces was kept for `undo`.

    Raises what an import raises.
    """
    done = replace.restore(store, archive, how, undo=undo, progress=progress)
    return Restored(
        url=done.url,
        backup=place.name,
        restored=done.imported,
        kept=done.kept,
        expired=done.expired,
        rejected=done.rejected,
        reasons=done.reasons,
        evicted=done.evicted,
        changed=done.changed,
        replaced=done.backup,
    )


def require_all(restored: Restored) -> None:
    """Raise OperationFailed if not all is there: refused, changed meanwhile, or evicted."""
    if restored.rejected:
        raise OperationFailed(
            f"Could not restore {plural(restored.rejected, 'key')} of {restored.backup}.",
            hint="The reasons say why.",
        )
    if restored.changed:
        raise OperationFailed(
            f"Left {plural(restored.changed, 'key')} that changed while a backup was made.",
            hint="Run it again if they are to be replaced too.",
        )
    require_none(restored.evicted, again="restore again: what is there is kept")
