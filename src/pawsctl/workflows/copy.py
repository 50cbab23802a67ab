"""Copy sessions from one Redis to another, masked if they are not to be read there."""

import shlex
import time
from collections.abc import Callable, Iterator, Sequence

import msgspec

from pawsctl.connection import (
    Account,
    Connection,
    ErrorReply,
    Outcome,
    TooLarge,
    info_fields,
)
from pawsctl.connection.scan.one_server import WRITTEN, slices
from pawsctl.errors import NotConfirmed, OperationFailed, UsageError
from pawsctl.plurals import plural
from pawsctl.sessions.contract import masked_value, pseudonyms, rules
from pawsctl.sessions.contract.mask import Mask
from pawsctl.sessions.contract.model import Record
from pawsctl.sessions.contract.saved import Saved, moment
from pawsctl.sessions.query import absent
from pawsctl.sessions.query.filters import Filter
from pawsctl.sessions.query.summing import summing
from pawsctl.sessions.store.accounting import accounted, not_written, of_keys
from pawsctl.sessions.store.bulk_writer import BulkWriter
from pawsctl.sessions.store.evictions import Evictions, require_none
from pawsctl.sessions.store.reader import SessionReader
from pawsctl.sessions.store.store import SessionStore


class Copied(msgspec.Struct, frozen=True):
    """The numbers of a copy; with `dry_run`, those that it would have had.

    `kept` sessions exist in the target and were left as they are. `others` are keys that hold no
    string, by their type, and `rejected` the keys that the target did not take. `evicted` is the
    number of keys that the target dropped meanwhile for lack of memory, None if it does not tell.
    """

    source: str
    target: str
    dry_run: bool
    masked: bool
    copied: int
    kept: int
    evicted: int | None
    others: dict[str, int]
    rejected: list[str]


class What(msgspec.Struct, frozen=True):
    """The sessions to copy: those under `names`, or if that is None, those that match `wanted`."""

    names: Sequence[bytes] | None
    wanted: Filter


class How(msgspec.Struct, frozen=True):
    """How to copy: masked or as they are, and with what TTL (seconds) if not with what is left."""

    mask: Mask | None
    ttl: float | None
    dry_run: bool


class Copy:
    """A copy from a reader's sessions to a store."""

    def __init__(self, source: SessionReader, target: SessionStore, how: How) -> None:
        """Raises UsageError for a copy onto itself, and one that can't be masked."""
        self._source, self._target, self._how = source, target, how
        if how.mask and source.keyspace.is_raw:
            raise UsageError(
                "Values of another application can't be masked: SESSION_FORMAT is raw.",
                hint="--no-mask copies them as they are.",
            )
        if source.keyspace.format != target.keyspace.format:
            raise UsageError(
                f"The sessions are of the format {source.keyspace.format}, and the target's are of "
                f"the format {target.keyspace.format}.",
                hint="Name a target whose profile has the same format.",
            )
        if _place(source) == _place(target):
            raise UsageError(
                f"{target.connection.target.url} is both source and target.",
                hint="Name another Redis with --to.",
            )
        self._others: dict[str, int] = {}
        self._rejected: list[str] = []
        self._found: set[bytes] = set()
        self.met_masked = False
        """Whether sessions that are copied as they are have been masked before."""
        self._evicted: int | None = None

    def copy(
        self, what: What, progress: Callable[[int], None], *, production: Sequence[str] = ()
    ) -> Copied:
        """Write the sessions; those that exist in the target are left as they are.

        Calls `progress` with the size of each batch. Failures and Ctrl-C say how far it got. Raises
        NotConfirmed before a batch with masked sessions is written, if there is evidence that the
        target is `production`.
        """
        self._require_two()
        dry_run = self._how.dry_run
        copied = kept = 0

        def account(outcome: Outcome) -> Account:
            if dry_run:
                gone = plural(copied + kept, "session")
                verb = "was" if copied + kept == 1 else "were"
                text = f"{gone} {verb} gone through, and none was written"
                return Account(text, {"copied": 0, "unknown": 0})
            return of_keys("copied", outcome, noun="session")

        evictions = Evictions(self._target.connection)
        hint = "Run it again for the rest: what is there is kept."
        with accounted(
            self._target.connection, account, hint=hint, evictions=evictions, changes=not dry_run
        ):
            writer = BulkWriter(self._target, replace=False)
            for asked_at, records in self._records(what):
                if self._has_masked(records) and production:
                    raise not_into_production(production)
                saved = [self._saved(each, asked_at, writer.now_ms()) for each in records]
                done = writer.would_write(saved) if dry_run else writer.write(saved)
                refusals = []
                for record, wanted, each in zip(records, saved, done, strict=True):
                    if isinstance(each, TooLarge):
                        self._rejected.append(self._source.keyspace.shown_key(record.key))
                    elif isinstance(each, ErrorReply):
                        refusals.append((wanted.key, each))
                    else:
                        copied, kept = copied + bool(each), kept + (not each)
                if refusals:
                    raise not_written(refusals, self._target.keyspace.shown_name)
                progress(len(records))
            self._evicted = evictions.count() if dry_run else evictions.told()
        return Copied(
            source=self._source.connection.target.url,
            target=self._target.connection.target.url,
            dry_run=dry_run,
            masked=self._how.mask is not None,
            copied=copied,
            kept=kept,
            evicted=self._evicted,
            others=self._others,
            rejected=self._rejected,
        )

    def _require_two(self) -> None:
        """Raise UsageError if source and target are one Redis under two names."""
        source, target = self._source.connection, self._target.connection
        is_one = source.target.db == target.target.db and _ids(source) & _ids(target)
        if is_one and self._source.keyspace.prefix == self._target.keyspace.prefix:
            raise UsageError(
                f"{source.target.url} and {target.target.url} are the same Redis.",
                hint="Name another one with --to.",
            )

    def _records(self, what: What) -> Iterator[tuple[float, list[Record]]]:
        """Yield the records to copy in batches, each with its time of asking."""
        if what.names is not None:
            for some in slices(list(dict.fromkeys(what.names)), WRITTEN):
                now = time.time()
                yield now, self._strings([each for each in self._source.records_of(some) if each])
            return
        using = rules.checks(self._source.keyspace)
        listed = summing(using)
        for asked_at, found in self._source.snapshots(what.wanted.match):
            now_ms = time.time() * 1000
            yield (
                asked_at,
                [
                    each
                    for each in self._strings(found)
                    if not what.wanted.reads_values
                    or what.wanted.matches(listed(each, now_ms, using), now_ms)
                ],
            )

    def _strings(self, found: Sequence[Record]) -> list[Record]:
        for each in found:
            self._found.add(each.key)
            if each.value is None:
                self._others[each.type] = self._others.get(each.type, 0) + 1
        return [each for each in found if each.value is not None and each.ttl_ms != 0]

    def _has_masked(self, records: Sequence[Record]) -> bool:
        """Return whether any of these was masked before, and so far none; note it."""
        if self._how.mask is not None or self.met_masked:
            return False
        self.met_masked = pseudonyms.any_masked(
            [each.key for each in records],
            [each.value for each in records],
            self._source.keyspace.prefix,
        )
        return self.met_masked

    def _saved(self, record: Record, asked_at: float, now_ms: float) -> Saved:
        """Return what to write; `now_ms` is the target's time, by which it expires keys."""
        prefix = self._source.keyspace.prefix
        if self._how.mask is not None:
            record = masked_value.record(record, self._how.mask, prefix=prefix, is_raw=False)
        suffix, value = record.key.removeprefix(prefix.encode()), record.value or b""
        left_ms = record.ttl_ms - (time.time() - asked_at) * 1000
        if self._how.ttl is not None:
            left_ms = self._how.ttl * 1000
        never = self._how.ttl is None and record.ttl_ms < 0
        expires_at = None if never else moment(int(now_ms + max(1, left_ms)))
        return Saved(self._target.keyspace.prefix.encode() + suffix, value, expires_at)

    def require_all(self, what: What) -> None:
        """Raise NoSession for a name without a session.

        Raises OperationFailed if a session was refused, or keys were evicted meanwhile.
        """
        missing = [key for key in dict.fromkeys(what.names or ()) if key not in self._found]
        if missing:
            raise absent.no_session(self._source, missing)
        if self._rejected:
            raise OperationFailed(
                f"The target did not take {', '.join(self._rejected)}: larger than a value may be "
                "there.",
                hint="The others are copied.",
            )
        if not self._how.dry_run:
            target = self._target.connection.target
            named = ("--profile", target.profile) if target.profile else ("--url", target.url)
            place = f"{shlex.join(named)} "
            require_none(self._evicted, again="copy again: what is there is kept", place=place)


def not_into_production(evidence: Sequence[str], source: str = "") -> NotConfirmed:
    """Return the failure of masked sessions on their way into production, out of a profile."""
    out_of = f", out of {source}" if source else ""
    return NotConfirmed(
        f"Masked conversations don't belong into production: {'; '.join(evidence)}.",
        hint=f"--no-mask copies them as they are{out_of}.",
    )


def _ids(connection: Connection) -> set[str]:
    """Return the ids of all servers that tell theirs."""
    told = [node.pipeline([("INFO", "server")])[0] for node in connection.primaries()]
    found = (info_fields(each).get("run_id", "") for each in told if isinstance(each, bytes))
    return set(filter(None, found))


def _place(store: SessionReader) -> tuple[object, ...]:
    target = store.connection.target
    return target.kind, target.addresses, target.path, target.service, target.db
