"""Figures over all sessions, in one pass and constant memory."""

import heapq
import time
from collections import Counter

import msgspec

from pawsctl.sessions.contract import rules
from pawsctl.sessions.contract.model import Record
from pawsctl.sessions.query.rows import Item
from pawsctl.sessions.query.summing import summing
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
    counts = _Counts(time.time() * 1000, store.keyspace.ttl)
    using = rules.checks(store.keyspace)
    sum_up = summing(using)
    for record in store.own_records():
        counts.add(sum_up(record, counts.now_ms, using).item, record)
    others = [f"{what}, which hold no session" for what in store.left_out_texts()]
    found = memory_use.measure(store, counts.sample)
    statuses = sorted(counts.statuses.items(), key=lambda each: -each[1])
    return Overview(
        url=store.connection.target.url,
        sessions=counts.expiry.result().sessions,
        problems=counts.problems,
        statuses=[
            StatusCount(status, sessions)
            for status, sessions in statuses
            if status is not None or not store.keyspace.is_raw
        ],
        other_statuses=counts.other_statuses,
        expiry=counts.expiry.result(),
        bytes=counts.bytes.spread(),
        messages=counts.messages.spread(),
        age=counts.age.spread(),
        accuracy=percentiles.ACCURACY,
        largest=[
            Large(item.phone, item.key, size, item.messages)
            for size, _, item in sorted(counts.largest, reverse=True)
        ],
        memory=found.memory,
        evicted_keys=found.evicted_keys,
        expired_keys=found.expired_keys,
        left_out=[*others, *found.left_out],
        pictures=pictures.measure(store.connection) if store.keyspace.is_bots else None,
    )


class _Counts:
    """The running counts, updated session by session."""

    def __init__(self, now_ms: float, ttl: int) -> None:
        self.now_ms = now_ms
        self.problems = self.other_statuses = 0
        self.statuses: Counter[str | None] = Counter()
        self.expiry = ExpiryCounter(ttl)
        self.bytes, self.messages, self.age = Sketch(), Sketch(), Sketch()
        # A heap, the smallest of the largest first; the number decides between equal sizes.
        self.largest: list[tuple[int, int, Item]] = []
        self.sample: list[bytes] = []
        self._number = 0

    def add(self, item: Item, record: Record) -> None:
        self._number += 1
        self.expiry.add(record.ttl_ms)
        self.problems += item.problem is not None
        if item.status in self.statuses or len(self.statuses) < _STATUSES:
            self.statuses[item.status] += 1
        else:
            self.other_statuses += 1
        if item.messages is not None:
            self.messages.add(item.messages)
        if item.updated_at is not None:
            age = self.now_ms / 1000 - item.updated_at.timestamp()
            self.age.add(max(0, int(age)))
        if item.bytes is not None:
            self._add_size(item.bytes, item)
            # SCAN's order follows a hash of the key: the first are as good a sample as any.
            if len(self.sample) < SAMPLE:
                self.sample.append(record.key)

    def _add_size(self, size: int, item: Item) -> None:
        self.bytes.add(size)
        if len(self.largest) < _LARGEST:
            heapq.heappush(self.largest, (size, -self._number, item))
        elif size > self.largest[0][0]:
            heapq.heapreplace(self.largest, (size, -self._number, item))
