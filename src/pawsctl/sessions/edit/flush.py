"""Deleting all sessions, or those that match a filter.

All sessions, or those of a glob, are deleted by SCAN and UNLINK alone, and counted before only if
the user has to confirm. Other filters need the values: these are read once to plan, and once more
just before the deletion. A session that has changed and no longer matches is kept; one that changes
between this second look and the deletion, about a millisecond, may still be deleted.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from pawsctl.connection import Account, Outcome
from pawsctl.connection.scan.one_server import VALUES, WRITTEN, slices
from pawsctl.connection.transactions.compare_and_set import has_others
from pawsctl.errors import Partial, UsageError
from pawsctl.sessions.contract import keys, rules
from pawsctl.sessions.contract.model import Record
from pawsctl.sessions.contract.rules import Checks
from pawsctl.sessions.edit import longer_prefixes
from pawsctl.sessions.query.filters import Filter
from pawsctl.sessions.query.summing import summing
from pawsctl.sessions.store.accounting import accounted, of_keys
from pawsctl.sessions.store.primaries import Primaries
from pawsctl.sessions.store.store import SessionStore

SEEN = keys.SEEN_PREFIX.encode() + b"*"
_NARROWER = "--match names those that may be deleted."


class FlushPlan(msgspec.Struct, frozen=True, omit_defaults=True):
    """The number of keys a flush would delete; `others` are keys that are no strings, by type.

    Of another application's sessions, these are `left_out` and stay. `longer_prefixes` has the
    number of keys under each, which may be a third application's.
    """

    url: str
    origin: str
    sessions: int
    others: dict[str, int]
    seen: int
    left_out: dict[str, int] | None = None
    longer_prefixes: dict[str, int] | None = None

    @property
    def total(self) -> int:
        """The number of all keys together."""
        return self.sessions + sum(self.others.values()) + self.seen


class Flushed(msgspec.Struct, frozen=True, omit_defaults=True):
    """The number of keys a flush deleted; `others` were no strings, by their type.

    Of another application's sessions, these are `left_out` and stay.

    Up to `unknown` more keys may have been deleted: a server went away before its reply and was
    replaced. `changed` were left: they changed after they were kept. `backup` is the name of what
    was kept.
    """

    url: str
    deleted: int
    others: dict[str, int]
    unknown: int
    changed: int
    backup: str | None
    left_out: dict[str, int] | None = None


class Flush(msgspec.Struct, frozen=True):
    """A planned flush: every key of `patterns`, and those `names` that still match `wanted`.

    `plan` is None if the keys were not counted.
    """

    plan: FlushPlan | None
    wanted: Filter
    patterns: Sequence[bytes] = ()
    names: Sequence[bytes] = ()


def planned(
    store: SessionStore, wanted: Filter, *, include_seen: bool, counted: bool = True
) -> Flush:
    """Plan a flush; count the keys if `counted`, or if the filter reads their values anyway.

    Raises UsageError for seen marks together with a filter, since a mark belongs to no session;
    OperationFailed if Redis would refuse the deletion.
    """
    if include_seen and not store.keyspace.is_bots:
        raise UsageError(
            f"--include-seen deletes the marks under {keys.SEEN_PREFIX}, which belong to sessions "
            f"under {keys.SESSION_PREFIX}, and SESSION_PREFIX is {store.keyspace.prefix}.",
            hint="Leave out --include-seen.",
        )
    if include_seen and not wanted.is_empty:
        raise UsageError(
            "--include-seen deletes every seen mark, and a filter can't tell whose they are.",
            hint="Flush with the filter first, and seen marks in a run of their own.",
        )
    pattern = store.keyspace.pattern(wanted.match)
    patterns = (pattern, SEEN) if include_seen else (pattern,)
    if wanted.reads_values:
        names, counts = _matching(store, wanted)
        store.require_deletable(pattern, names, hint=_NARROWER)
        return Flush(_plan(store, counts, 0), wanted, names=names)
    # With seen marks there can be no filter.
    store.require_deletable(pattern, hint="" if include_seen else _NARROWER)
    if include_seen:
        store.require_deletable(SEEN, hint="Leave out --include-seen to delete the sessions.")
    plan = None
    if counted:
        seen = sum(store.count(SEEN).values()) if include_seen else 0
        plan = _plan(store, store.count(pattern), seen)
        if wanted.match is None:
            longer = longer_prefixes.counted(store)
            plan = msgspec.structs.replace(plan, longer_prefixes=longer)
    return Flush(plan, wanted, patterns)


def flush(store: SessionStore, planned: Flush, *, progress: Callable[[int], None]) -> Flushed:
    """Delete the planned keys; call `progress` with the size of each batch.

    Keys that this user may not delete stay, and are told at the end: OperationFailed. Raises
    Interrupted on Ctrl-C; this and every other failure say how far the flush got. After a
    failover, the new primary is flushed too.
    """
    kinds = Counter[str]()
    hint = "Run it again for the rest."
    with accounted(store.connection, account, hint=hint, may_move=True) as outcome:
        primaries = Primaries(store.connection) if has_others(store.connection) else None
        while True:
            store.undeleted = 0
            for found in _deletions(store, planned):
                kinds.update(found)
                progress(sum(found.values()))
            if primaries is None or not primaries.replaced():
                break
        store.require_deleted()
    del kinds["string"]
    url = store.connection.target.url
    left_out = dict(store.left_out) or None
    return Flushed(url, outcome().done, dict(kinds), len(outcome().unknown), 0, None, left_out)


def meant(store: SessionStore, planned: Flush) -> Iterator[tuple[float, list[Record]]]:
    """Yield the records that a flush is about to delete, in batches with their time of asking.

    Raises Partial at the end if some keys can't be read.
    """
    missing: Partial | None = None
    for pattern in planned.patterns:
        try:
            for asked_at, records in store.snapshots_of(pattern):
                yield asked_at, store.own_of(records)
        except Partial as error:
            missing = missing or error
    using = rules.checks(store.keyspace)
    for some in slices(planned.names, VALUES):
        now = time.time()
        yield now, _still_matching(store, planned, some, using)
    if missing is not None:
        raise missing


def account(outcome: Outcome) -> Account:
    """Return how many keys a flush has deleted."""
    return of_keys("deleted", outcome, noun="key")


def _plan(store: SessionStore, counts: dict[str, int], seen: int) -> FlushPlan:
    target = store.connection.target
    plan = FlushPlan(target.url, target.origin, counts.pop("string", 0), counts, seen)
    if store.keyspace.is_raw and counts:
        return msgspec.structs.replace(plan, others={}, left_out=counts)
    return plan


def _matching(store: SessionStore, wanted: Filter) -> tuple[list[bytes], dict[str, int]]:
    """Return the keys that match a filter, and their number by type."""
    now_ms = time.time() * 1000
    using = rules.checks(store.keyspace)
    sum_up = summing(using)
    names, counts = [], dict[str, int]()
    for record in store.own_records(wanted.match):
        if wanted.matches(sum_up(record, now_ms, using), now_ms):
            names.append(record.key)
            counts[record.type] = counts.get(record.type, 0) + 1
    return names, counts


def _deletions(store: SessionStore, planned: Flush) -> Iterator[Mapping[str, int]]:
    """Delete the planned keys; yield for each batch how many keys of each type were deleted."""
    for pattern in planned.patterns:
        yield from store.unlink(pattern)
    using = rules.checks(store.keyspace)
    for some in slices(planned.names, WRITTEN):
        found = _still_matching(store, planned, some, using)
        gone = store.unlink_keys([record.key for record in found])
        yield Counter(record.type for record, is_gone in zip(found, gone, strict=True) if is_gone)


def _still_matching(
    store: SessionStore, planned: Flush, some: Sequence[bytes], using: Checks
) -> list[Record]:
    now_ms = time.time() * 1000
    sum_up = summing(using)
    return [
        record
        for record in store.records_of(some)
        if record
        and not (store.keyspace.is_raw and record.value is None)
        and planned.wanted.matches(sum_up(record, now_ms, using), now_ms)
    ]
