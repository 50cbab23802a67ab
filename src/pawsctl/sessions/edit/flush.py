"""Deleting sessions: all of them, or those that a filter lets through.

All, or those of a glob, go by SCAN and UNLINK alone, and are counted before only where someone has
to decide. Other filters need the values: these are read once to say what would be deleted, and once
more in the moment before. A session that changed meanwhile and is no longer meant is kept; one that
changes within that moment, about a millisecond, may still be deleted.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from pawsctl.connection import Outcome
from pawsctl.connection.scan.one_server import WRITTEN, slices
from pawsctl.errors import UsageError
from pawsctl.sessions.contract import keys
from pawsctl.sessions.query import rows
from pawsctl.sessions.query.filters import Filter
from pawsctl.sessions.store.accounting import Account, accounted, of_keys
from pawsctl.sessions.store.store import SessionStore

SEEN = keys.SEEN_PREFIX.encode() + b"*"


class FlushPlan(msgspec.Struct, frozen=True):
    """What a flush would delete. `others` are keys of another type under the prefix, by type."""

    url: str
    origin: str
    sessions: int
    others: dict[str, int]
    seen: int

    @property
    def total(self) -> int:
        """All keys together."""
        return self.sessions + sum(self.others.values()) + self.seen


class Flushed(msgspec.Struct, frozen=True):
    """How many keys a flush deleted, and from where; `others` were no strings, by their type.

    Up to `unknown` more may have been: a server that went away, and was replaced, never answered.
    """

    url: str
    deleted: int
    others: dict[str, int]
    unknown: int


class Flush(msgspec.Struct, frozen=True):
    """A flush that was planned: every key of `patterns`, and those `names` that are still meant.

    `plan` is None where nobody asked how many that are.
    """

    plan: FlushPlan | None
    wanted: Filter
    patterns: Sequence[bytes] = ()
    names: Sequence[bytes] = ()


def planned(
    store: SessionStore, wanted: Filter, *, include_seen: bool, counted: bool = True
) -> Flush:
    """Find what a flush would delete; how many, where it must be `counted` or is known anyway.

    Raises UsageError for seen marks beside a filter: a mark belongs to no session; OperationFailed
    if nothing could be deleted.
    """
    if include_seen and not wanted.is_empty:
        raise UsageError(
            "--include-seen deletes every seen mark, and a filter can't tell whose they are.",
            hint="Flush with the filter first, and seen marks in a run of their own.",
        )
    patterns = (wanted.pattern, SEEN) if include_seen else (wanted.pattern,)
    for pattern in patterns:
        store.require_deletable(pattern)
    if wanted.reads_values:
        names, counts = _matching(store, wanted)
        return Flush(_plan(store, counts, 0), wanted, names=names)
    plan = None
    if counted:
        seen = sum(store.count(SEEN).values()) if include_seen else 0
        plan = _plan(store, store.count(wanted.pattern), seen)
    return Flush(plan, wanted, patterns)


def flush(store: SessionStore, planned: Flush, *, progress: Callable[[int], None]) -> Flushed:
    """Delete what was planned, telling `progress` of each batch.

    Raises Interrupted on Ctrl-C, saying how far it got, as every other failure here does.
    """
    kinds = Counter[str]()
    with accounted(store.connection, _account, hint="Run it again for the rest.") as outcome:
        for found in _deletions(store, planned):
            kinds.update(found)
            progress(sum(found.values()))
    del kinds["string"]
    url = store.connection.target.url
    return Flushed(url, outcome().done, dict(kinds), len(outcome().unknown))


def _account(outcome: Outcome) -> Account:
    return of_keys("deleted", outcome, noun="key")


def _plan(store: SessionStore, counts: dict[str, int], seen: int) -> FlushPlan:
    target = store.connection.target
    return FlushPlan(target.url, target.origin, counts.pop("string", 0), counts, seen)


def _matching(store: SessionStore, wanted: Filter) -> tuple[list[bytes], dict[str, int]]:
    """The keys that a filter lets through, and how many there are of each type."""
    now_ms = time.time() * 1000
    names, counts = [], dict[str, int]()
    for record in store.records(wanted.pattern):
        if wanted.matches(rows.listed(record, now_ms), now_ms):
            names.append(record.key)
            counts[record.type] = counts.get(record.type, 0) + 1
    return names, counts


def _deletions(store: SessionStore, planned: Flush) -> Iterator[Mapping[str, int]]:
    """How many keys of each type every batch deleted."""
    for pattern in planned.patterns:
        yield from store.unlink(pattern)
    for some in slices(planned.names, WRITTEN):
        now_ms = time.time() * 1000
        found = store.records_of(some)
        meant = [
            record
            for record in found
            if record and planned.wanted.matches(rows.listed(record, now_ms), now_ms)
        ]
        gone = store.unlink_keys([record.key for record in meant])
        yield Counter(record.type for record, is_gone in zip(meant, gone, strict=True) if is_gone)
