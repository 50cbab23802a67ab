"""Bringing back what a backup holds."""

import msgspec

from pawsctl.config.target import Target
from pawsctl.errors import OperationFailed, UsageError
from pawsctl.sessions.archive import restore as importing
from pawsctl.sessions.archive.read import Archive
from pawsctl.sessions.archive.restore import Progress, Rejection
from pawsctl.sessions.store.store import SessionStore


class Restored(msgspec.Struct, frozen=True):
    """The numbers of a restore.

    `kept` keys exist and were left as they are; `expired` ones had no time left. `evicted` is the
    number of keys that Redis dropped meanwhile for lack of memory, None if it does not tell.
    """

    url: str
    backup: str
    restored: int
    kept: int
    expired: int
    rejected: int
    reasons: list[Rejection]
    evicted: int | None


def require_target(archive: Archive, target: Target) -> None:
    """Raise UsageError if a backup is from elsewhere, and the target was not named by --url.

    Without a --url, what production had must not come to whatever Redis the settings name.
    """
    source = archive.header.source
    if target.url != source and target.origin != "option --url":
        raise UsageError(
            f"The backup is from {source}, and the target is {target.url} (from {target.origin}).",
            hint="Name the Redis that it is to be restored into with --url.",
        )


def restore(store: SessionStore, archive: Archive, name: str, *, progress: Progress) -> Restored:
    """Write what a backup holds and has not expired; a key that exists is left as it is.

    Raises what an import raises.
    """
    done = importing.restore(store, archive, replace=False, dry_run=False, progress=progress)
    return Restored(
        url=done.url,
        backup=name,
        restored=done.imported,
        kept=done.kept,
        expired=done.expired,
        rejected=done.rejected,
        reasons=done.reasons,
        evicted=done.evicted,
    )


def require_all(restored: Restored) -> None:
    """Raise OperationFailed if a line was rejected."""
    if restored.rejected:
        raise OperationFailed(
            f"{restored.rejected} keys of {restored.backup} could not be restored.",
            hint="The reasons say why.",
        )
