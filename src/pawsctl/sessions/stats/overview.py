"""Figures over all sessions, in one pass and constant memory."""

import heapq
import time
from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from pawsctl.sessions.contract import rules
from pawsctl.sessions.contract.model import Columns, Record
from pawsctl.sessions.contract.rules import Checks
from pawsctl.sessions.query import clean_runs
from pawsctl.sessions.query.clean_runs import CleanRun
from pawsctl.sessions.query.rows import Item
from pawsctl.sessions.query.summing import summing, summing_to_show
from pawsctl.sessions.stats import memory_use, percentiles, pictures
from pawsctl.sessions.stats.expiry import Expiry, ExpiryCounter
from pawsctl.sessions.stats.memory_use import SAMPLE, MemoryUse
from pawsctl.sessions.stats.percentiles import Sketch, Spread
from pawsctl.sessions.stats.pictures import Pictures
from pawsctl.sessions.store.reader import SessionReader

_LARGEST = 10
# A status can be any string: beyond this many different ones, the rest is counted together.
_STATUSES = 100


class StatusCount(msgspec.Struct, frozen=True):
    """The number of sessions with a status; None: unreadable, or a key of another type."""

    status: str | None
    sessions: int


class Large(msgspec.Struct, frozen=True):
    """One of the largest sessions; `bytes` is its value's size."""

    phone: str
    key: str
    bytes: int
    messages: int | None


class Overview(msgspec.Struct, frozen=True, omit_defaults=True):
    """All sessions at a glance.

    `bytes` are sizes of values, `messages` are numbers per session, `age` is seconds since the last
    update; each is None if there is nothing to count. Percentiles are at most the share `accuracy`
    away from the true ones. Figures that the server does not tell are None, and `left_out` says
    why. `pictures` are the bot's temporary pictures, None if there are none.
    """

    url: str
    sessions: int
    problems: int
    statuses: list[StatusCount]
    other_statuses: int
    expiry: Expiry
    bytes: Spread | None
    messages: Spread | None
    age: Spread | None
    accuracy: float
    largest: list[Large]
    memory: MemoryUse | None
    evicted_keys: int | None
    expired_keys: int | None
    left_out: list[str]
    pictures: Pictures | None = None


def gather(store: SessionReader) -> Overview:
    """Read every session once, and the server's memory figures."""
    counts = _Counts(time.time() * 1000, rules.checks(store.keyspace))
    for found in store.own_columns():
        counts.add(found)
    others = [f"{what}; only strings are sessions" for what in store.left_out_texts()]
    told = memory_use.measure(store, counts.sample)
    statuses = sorted(counts.statuses.items(), key=lambda each: -each[1])
    return Overview(
        url=store.connection.target.url,
        sessions=counts.expiry.result().sessions,
        problems=counts.problems,
        statuses=[
            StatusCount(status and store.keyspace.shown_status(status), sessions)
            for status, sessions in statuses
            if status is not None or not store.keyspace.is_raw
        ],
        other_statuses=counts.other_statuses,
        expiry=counts.expiry.result(),
        bytes=counts.bytes.spread(),
        messages=counts.messages.spread(),
        age=counts.age.spread(),
        accuracy=percentiles.ACCURACY,
        largest=counts.ten_largest(),
        memory=told.memory,
        evicted_keys=told.evicted_keys,
        expired_keys=told.expired_keys,
        left_out=[*others, *told.left_out],
        pictures=pictures.measure(store.connection) if store.keyspace.is_bots else None,
    )


class _Counts:
    """The running counts, updated batch by batch."""

    def __init__(self, now_ms: float, using: Checks) -> None:
        self.problems = self.other_statuses = 0
        self.statuses: Counter[str | None] = Counter()
        self.expiry = ExpiryCounter(using.keyspace.ttl)
        self.bytes, self.messages, self.age = Sketch(), Sketch(), Sketch()
        self.sample: list[bytes] = []
        self._now_ms, self._using, self._sum_up = now_ms, using, summing(using)
        # A heap, the smallest of the largest first; the number decides between equal sizes.
        self._largest: list[tuple[int, int, Item]] = []
        self._number = 0

    def add(self, found: Columns) -> None:
        """Count the sessions of a batch."""
        statuses: list[str | None] = []
        messages: list[int] = []
        ages: list[int] = []
        for run in self._runs(found):
            if isinstance(run, CleanRun):
                statuses += [session.status for session in run.sessions]
                messages += run.counts
                ages += [
                    int((self._now_ms - session.updated_at) / 1000) for session in run.sessions
                ]
                continue
            item = self._sum_up(run, self._now_ms, self._using).item
            self.problems += item.problem is not None
            statuses.append(item.status)
            if item.messages is not None:
                messages.append(item.messages)
            if item.updated_at is not None:
                ages.append(max(0, int(self._now_ms / 1000 - item.updated_at.timestamp())))
        self.messages.add(messages)
        self.age.add(ages)
        self.expiry.add(found.ttls)
        self._add_statuses(statuses)
        sizes = list(map(len, found.values))
        self.bytes.add(sizes)
        self._add_largest(found, sizes)
        # SCAN's order follows a hash of the key: the first are as good a sample as any.
        if len(self.sample) < SAMPLE and not found.types:
            self.sample += found.keys[: SAMPLE - len(self.sample)]

    def _runs(self, found: Columns) -> Iterable[CleanRun | Record]:
        if self._using.keyspace.is_raw:
            return found.records
        return clean_runs.runs(found, self._now_ms, self._using, clean_runs.ALL)

    def _add_statuses(self, statuses: Sequence[str | None]) -> None:
        different = self.statuses.keys() | set(statuses)
        if len(different) <= _STATUSES:
            self.statuses.update(statuses)
            return
        for status in statuses:
            if status in self.statuses or len(self.statuses) < _STATUSES:
                self.statuses[status] += 1
            else:
                self.other_statuses += 1

    def _add_largest(self, found: Columns, sizes: Sequence[int]) -> None:
        largest, before, show = self._largest, self._number, summing_to_show(self._using)
        self._number += len(sizes)
        if len(largest) == _LARGEST and max(sizes, default=0) <= largest[0][0]:
            return
        for index, size in enumerate(sizes):
            if len(largest) < _LARGEST or size > largest[0][0]:
                item = show(found.string(index), self._now_ms, self._using).item
                heapq.heappush(largest, (size, -before - index, item))
                if len(largest) > _LARGEST:
                    heapq.heappop(largest)

    def ten_largest(self) -> list[Large]:
        """Return the largest sessions, the largest first."""
        return [
            Large(item.phone, item.key, size, item.messages)
            for size, _, item in sorted(self._largest, reverse=True)
        ]
