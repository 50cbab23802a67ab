"""Writing the sessions of an archive to Redis."""

import shlex
from collections.abc import Callable, Sequence

import msgspec
from msgspec.structs import replace

from pawsctl.connection import Account, ErrorReply, Outcome, TooLarge, is_about_a_dump
from pawsctl.connection.scan.one_server import WRITTEN
from pawsctl.errors import OperationFailed, UsageError
from pawsctl.plurals import plural
from pawsctl.sessions.archive.jsonl_format import Rejected
from pawsctl.sessions.archive.read import Archive, Numbered
from pawsctl.sessions.contract.keyspace import Keyspace
from pawsctl.sessions.contract.saved import Saved
from pawsctl.sessions.store.accounting import accounted, not_written
from pawsctl.sessions.store.bulk_writer import BulkWriter
from pawsctl.sessions.store.evictions import Evictions, require_none
from pawsctl.sessions.store.store import SessionStore
from pawsctl.sessions.store.unchanged_writer import KeptOf, UnchangedWriter

# The most rejected lines that are reported one by one.
_TOLD = 5

Progress = Callable[[int], None]


class Rejection(msgspec.Struct, frozen=True):
    """A line that was not imported: its number in the file, and the reason."""

    line: int
    reason: str


class Imported(msgspec.Struct, frozen=True):
    """The numbers of an import; with `dry_run`, those that it would have had.

    `kept` sessions existed before and were left as they are; `expired` ones had no time left.
    `evicted` is the number of keys that Redis dropped meanwhile for lack of memory, None if it does
    not tell. `changed` sessions were left: they changed after they were kept as `backup`.
    """

    url: str
    file: str
    dry_run: bool
    imported: int
    kept: int
    expired: int
    rejected: int
    reasons: list[Rejection]
    evicted: int | None
    changed: int = 0
    backup: str | None = None


class _Tally:
    """The running counts of an import."""

    def __init__(self, space: Keyspace) -> None:
        self._space = space
        self.imported = self.kept = self.expired = self.rejected = 0
        self.reasons: list[Rejection] = []

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    def reject(self, line: int, reason: object) -> None:
        self.rejected += 1
        if len(self.reasons) < _TOLD:
            self.reasons.append(Rejection(line, self._space.shown_sentence(str(reason))))

    def add(
        self, lines: Sequence[int], sessions: Sequence[Saved], written: Sequence[bool | ErrorReply]
    ) -> None:
        """Count the results of a batch. Raises OperationFailed if Redis refused any of it."""
        refusals = []
        for line, saved, each in zip(lines, sessions, written, strict=True):
            if isinstance(each, TooLarge):
                self.reject(line, f"Redis did not take it: {each}")
            elif isinstance(each, ErrorReply) and is_about_a_dump(each):
                # No later try would succeed, and the lines that follow are to be imported.
                self.reject(line, f"it is no string, and another Redis made it: {each}")
            elif isinstance(each, ErrorReply):
                refusals.append((saved.key, each))
        done = [each for each in written if not isinstance(each, ErrorReply)]
        self.imported += sum(done)
        self.kept += len(done) - sum(done)
        if refusals:
            raise not_written(refusals, self._space.shown_name)

    @property
    def counts(self) -> dict[str, int]:
        return {
            "imported": self.imported,
            "kept": self.kept,
            "expired": self.expired,
            "rejected": self.rejected,
        }

    def __str__(self) -> str:
        return ", ".join(f"{count} {what}" for what, count in self.counts.items())


class How(msgspec.Struct, frozen=True):
    """How to import: `replace` existing sessions, only tell with `dry_run`.

    With `fresh_ttl`, in seconds, sessions that have expired get that TTL. `kept_of` tells what was
    kept of existing sessions, and backup is its name: what has changed since is left.
    """

    replace: bool = False
    dry_run: bool = False
    fresh_ttl: int | None = None
    kept_of: KeptOf | None = None
    backup: str | None = None


def restore(store: SessionStore, archive: Archive, how: How, *, progress: Progress) -> Imported:
    """Write the sessions that have not expired; replace existing ones only if asked for.

    Calls `progress` with the number of lines in each batch. Raises UsageError for an archive of
    another prefix or format, OperationFailed if Redis refuses (as when its memory is full),
    Interrupted on Ctrl-C, and what the store raises; each says how far the import got. No failure
    loses a key that existed before.
    """
    require_same_keyspace(store.keyspace, archive)
    tally = _Tally(store.keyspace)
    evictions = Evictions(store.connection)

    def account(outcome: Outcome) -> Account:
        if how.dry_run:
            gone = f"{tally.total} of {archive.count} sessions were gone through"
            return Account(
                f"{gone}, and none was written", {**tally.counts, "imported": 0, "unknown": 0}
            )
        # Count the replies received, not the sessions of batches under way.
        tally.imported, tally.kept = outcome.done, outcome.undone
        unknown = len(outcome.unknown)
        text = f"{tally.total + unknown} of {archive.count} sessions were gone through: {tally}"
        if unknown:
            text += f", and of {unknown} no one knows"
        return Account(text, {**tally.counts, "unknown": unknown})

    hint = "Run it again for the rest: what is there is kept, unless you say --replace."
    with accounted(
        store.connection, account, hint=hint, evictions=evictions, changes=not how.dry_run
    ):
        if how.kept_of is None:
            writer = BulkWriter(store, replace=how.replace)
        else:
            writer = UnchangedWriter(store, how.kept_of)
        for batch in archive.batches(WRITTEN):
            writer.prepare([each.key for _, each in batch if isinstance(each, Saved)])
            lines, sessions = _alive(batch, writer.now_ms(), tally, how.fresh_ttl)
            if how.replace:
                lines, sessions = _without_others(store, lines, sessions, tally)
            written = writer.would_write(sessions) if how.dry_run else writer.write(sessions)
            tally.add(lines, sessions, written)
            progress(len(batch))
        # Also an interruption while Redis is asked says how far the import got.
        evicted = evictions.count() if how.dry_run else evictions.told()
    return Imported(
        url=store.connection.target.url,
        file=archive.name,
        dry_run=how.dry_run,
        imported=tally.imported,
        kept=0 if how.kept_of else tally.kept,
        expired=tally.expired,
        rejected=tally.rejected,
        reasons=tally.reasons,
        evicted=evicted,
        changed=tally.kept if how.kept_of else 0,
        backup=how.backup,
    )


def require_same_keyspace(keyspace: Keyspace, archive: Archive) -> None:
    """Raise UsageError for an archive of another application's sessions."""
    prefix = archive.prefix
    own_keys = f"SESSION_PREFIX={shlex.quote(prefix)}" if prefix != keyspace.prefix else ""
    if (archive.header.values == "raw") != keyspace.is_raw:
        wanted = archive.header.values or "bot"
        raise UsageError(
            f"{archive.name} holds sessions of the format {wanted}, and SESSION_FORMAT is "
            f"{keyspace.format}.",
            hint=f"To import them, set SESSION_FORMAT={wanted} {own_keys}".rstrip() + ".",
        )
    if own_keys:
        raise UsageError(
            f"{archive.name} holds keys under {prefix}, and SESSION_PREFIX is {keyspace.prefix}.",
            hint=f"To import them under their own keys, set {own_keys}.",
        )


def require_all_taken(imported: Imported) -> None:
    """Raise OperationFailed if not all is there: rejected, changed meanwhile, or evicted."""
    if imported.changed:
        raise OperationFailed(
            f"Left {plural(imported.changed, 'session')} that changed while a backup was made.",
            hint="Run it again if they are to be replaced too.",
        )
    if imported.rejected:
        raise OperationFailed(
            f"Rejected {plural(imported.rejected, 'line')} of {imported.file}.",
            hint="The archive is whole; the reasons say what to mend.",
        )
    if not imported.dry_run:
        require_none(imported.evicted, again="import again: what is there is kept")


def _alive(
    batch: Sequence[Numbered], now_ms: float, tally: _Tally, fresh_ttl: int | None
) -> tuple[list[int], list[Saved]]:
    """Return the line numbers and the sessions of those in a batch that have not expired.

    Expired ones get a TTL of `fresh_ttl` seconds, if it is not None. Those left out are counted in
    `tally`.
    """
    lines, alive = [], []
    for number, found in batch:
        if isinstance(found, Rejected):
            tally.reject(number, found)
        elif found.expires_at is not None and found.expires_at <= now_ms:
            # With an expiry in the past, Redis would delete the key as it is now.
            if fresh_ttl is None:
                tally.expired += 1
                continue
            lines.append(number)
            alive.append(replace(found, expires_at=int(now_ms) + fresh_ttl * 1000))
        else:
            lines.append(number)
            alive.append(found)
    return lines, alive


def _without_others(
    store: SessionStore, lines: list[int], sessions: list[Saved], tally: _Tally
) -> tuple[list[int], list[Saved]]:
    """Return the lines and sessions without those whose key another program uses otherwise."""
    others = store.others_among([each.key for each in sessions])
    for number, each in zip(lines, sessions, strict=True):
        if each.key in others:
            tally.reject(
                number, f"{store.keyspace.shown_key(each.key)} holds a {others[each.key]} here"
            )
    left = [pair for pair in zip(lines, sessions, strict=True) if pair[1].key not in others]
    return [number for number, _ in left], [each for _, each in left]
