"""Following sessions as they appear, change and go, by polling.

Redis notifies of changes only if keyspace events are turned on, and of an expiry late. So this
polls: each poll asks for every key and its TTL, and reads the values of new and changed sessions.
"""

import math
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Literal

import msgspec

from pawsctl import clock
from pawsctl.connection.scan.one_server import VALUES
from pawsctl.sessions.contract import rules
from pawsctl.sessions.contract.model import Record
from pawsctl.sessions.contract.rules import Checks
from pawsctl.sessions.query.summing import summing_to_show
from pawsctl.sessions.store.reader import SessionReader
from pawsctl.sessions.watch.outages import ConnectionEvent, Outages

SHARE = 0.25
"""Polls take at most this share of a processor, here and on the server: else they become rarer."""

FOLLOWED = 100_000
"""Sessions that are followed at most; if there are more, one in two, one in four, and so on."""

RECENT = 50
"""Events that a board shows at most."""

SLACK_SECONDS = 0.005
"""PTTL's milliseconds are rounded, and two clocks never run at quite the same speed."""

Kind = Literal["appeared", "changed", "touched", "expired", "deleted"]


class SessionEvent(msgspec.Struct, frozen=True):
    """An event of a session, and its state now; the fields of a session that is gone are None.

    `time` is when the event was seen. `touched` means a new TTL and the same value; `deleted` means
    gone before its time: ended, deleted or evicted.
    """

    time: datetime
    event: Kind
    phone: str
    key: str
    ttl: int | None = None
    status: str | None = None
    messages: int | None = None
    last_message: str | None = None
    problem: str | None = None


class Poll(msgspec.Struct, frozen=True):
    """One poll of all sessions: their number, of which one in `one_in` is followed.

    It took `seconds`, and the next one begins `pause` seconds after it began: the `interval` that
    the user asked for, or more. `is_news` says that `pause` is the first, or has changed much.
    `left_out` are words for keys under the prefix that are no sessions.
    """

    sessions: int
    one_in: int
    seconds: float
    interval: float
    pause: float
    sees_sizes: bool
    is_news: bool
    left_out: Sequence[str] = ()

    @property
    def is_slowed(self) -> bool:
        """Whether polls are rarer than the user asked for."""
        return self.pause > self.interval


class Board(msgspec.Struct, frozen=True):
    """The state of a watch, to be drawn: recent events, newest first, and counts by event.

    `lost` is set while the server is gone: the rest is how it was then.
    """

    poll: Poll
    recent: Sequence[SessionEvent | ConnectionEvent]
    counts: dict[str, int]
    lost: ConnectionEvent | None


class _Known(msgspec.Struct, gc=False):
    """A session as it was last seen.

    It expires between the moments `early` and `late` of `clock.now`: Redis tells the time left, but
    not how long its reply was under way. `value` is a hash of the value, None if it was
    not read.
    """

    early: float
    late: float
    size: int
    value: int | None
    seen: int


def follow(
    store: SessionReader,
    match: str | None,
    *,
    interval: float,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[SessionEvent | ConnectionEvent | Poll]:
    """Yield the events of the sessions that match, for ever, and each Poll after its events.

    `interval` is the seconds between polls. Sessions that exist at the beginning are no events.
    """
    watch, told = _Watch(store, match), 0.0
    outages = Outages(store.connection, sleep)
    while True:
        yield from outages.through(watch.poll)
        seconds = time.monotonic() - watch.begun
        used = time.process_time() - watch.used_before
        # The server has worked for no longer than the poll took.
        pause = max(interval, (seconds + used) / SHARE)
        # Tell once that polls are rarer, and again if the pause has doubled or halved.
        is_news = pause >= 2 * told or pause <= told / 2 or pause > interval == told
        told = pause if is_news else told
        yield Poll(
            watch.sessions,
            watch.one_in,
            seconds,
            interval,
            pause,
            watch.sees_sizes,
            is_news,
            store.left_out_texts(),
        )
        sleep(max(0.0, watch.begun + pause - time.monotonic()))


class _Watch:
    def __init__(self, store: SessionReader, match: str | None) -> None:
        self.store = store
        self.match = match
        self.using = rules.checks(store.keyspace)
        # If reading makes a key look used, asking for every size would spoil eviction by LRU.
        self.sees_sizes = store.leaves_lru_alone
        self.known: dict[bytes, _Known] = {}
        self.sessions = 0
        self.one_in = 1
        self.number = 0
        # Keys that are new, and those whose TTL or size has changed: those that a poll has seen,
        # and not read because it failed, are read by the next.
        self.fresh: dict[bytes, None] = {}
        self.changed: dict[bytes, None] = {}
        # When the last poll began, and the processor's time used before.
        self.begun = self.used_before = 0.0

    def poll(self) -> Iterator[SessionEvent | None]:
        self.begun, self.used_before = time.monotonic(), time.process_time()
        self.number += 1
        self._look()
        yield None
        if self.number > 1:
            yield from self._read(self.fresh, are_new=True)
            yield from self._read(self.changed, are_new=False)
            yield from self._gone()
        elif self.sees_sizes:
            # Read to tell a touch from a change later; skipped if it would spoil LRU.
            deque(self._read(self.fresh, are_new=True), maxlen=0)
        self.fresh.clear()

    def _look(self) -> None:
        """Note the keys that are new, and those whose TTL or size has changed."""
        self.sessions = 0
        for asked, batch in self.store.scan_ttls_and_sizes(self.match, self._is_sized):
            answered = clock.now()
            self.sessions += len(batch)
            for key, ttl_ms, size in batch:
                left = math.inf if ttl_ms < 0 else ttl_ms / 1000
                early, late = asked + left - SLACK_SECONDS, answered + left + SLACK_SECONDS
                known = self.known.get(key)
                if known is None:
                    if self._is_followed(key):
                        self.known[key] = _Known(early, late, size, None, self.number)
                        self.fresh[key] = None
                    continue
                is_changed = early > known.late or late < known.early or size != known.size
                if is_changed and key not in self.fresh:
                    self.changed[key] = None
                known.early, known.late, known.size, known.seen = early, late, size, self.number
            while len(self.known) > FOLLOWED:
                self.one_in *= 2
                # By a hash of the key, so that a session not followed is never taken for new.
                self.known = {k: v for k, v in self.known.items() if self._is_followed(k)}
                self.fresh = {key: None for key in self.fresh if key in self.known}
                self.changed = {key: None for key in self.changed if key in self.known}

    def _is_followed(self, key: bytes) -> bool:
        return hash(key) % self.one_in == 0

    def _is_sized(self, key: bytes) -> bool:
        return self.sees_sizes and self._is_followed(key)

    def _read(self, names: dict[bytes, None], *, are_new: bool) -> Iterator[SessionEvent]:
        """Yield an event for each of the keys, and remove it from them."""
        while batch := list(islice(names, VALUES)):
            now_ms = time.time() * 1000
            for key, record in zip(batch, self._records(batch), strict=True):
                del names[key]
                if record is None:
                    if are_new:
                        del self.known[key]
                    continue
                known, value = self.known[key], hash(record.value)
                kind: Kind = "touched" if value == known.value else "changed"
                known.value = value
                yield event_of(self.using, key, "appeared" if are_new else kind, record, now_ms)

    def _records(self, names: Sequence[bytes]) -> list[Record | None]:
        return self.store.records_of(names, left_out=self.store.connection.note)

    def _gone(self) -> Iterator[SessionEvent]:
        now = clock.now()
        for key in [key for key, known in self.known.items() if known.seen != self.number]:
            is_due = self.known.pop(key).early <= now
            yield event_of(self.using, key, "expired" if is_due else "deleted", None, 0)


def event_of(
    using: Checks, key: bytes, kind: Kind, record: Record | None, now_ms: float
) -> SessionEvent:
    """Return an event seen now, with the stored state; `now_ms` is milliseconds since the epoch."""
    space = using.keyspace
    now, phone, name = datetime.now(UTC), space.shown_name(key), space.shown_key(key)
    if record is None:
        return SessionEvent(now, kind, phone, name)
    listed = summing_to_show(using)(record, now_ms, using)
    item, words = listed.item, listed.last_message
    return SessionEvent(
        now, kind, phone, name, item.ttl, item.status, item.messages, words, item.problem
    )


def events(
    stream: Iterable[SessionEvent | ConnectionEvent | Poll], told: Callable[[Poll], None]
) -> Iterator[SessionEvent | ConnectionEvent]:
    """Yield the events of a watch alone; call `told` with each poll."""
    for each in stream:
        if isinstance(each, Poll):
            told(each)
        else:
            yield each


def boards(stream: Iterable[SessionEvent | ConnectionEvent | Poll]) -> Iterator[Board]:
    """Yield a board after each poll, and as soon as the server has gone away.

    No more events are kept than a board shows.
    """
    recent: deque[SessionEvent | ConnectionEvent] = deque(maxlen=RECENT)
    counts: Counter[str] = Counter()
    poll: Poll | None = None
    for each in stream:
        lost: ConnectionEvent | None = None
        if isinstance(each, Poll):
            poll = each
        else:
            recent.appendleft(each)
            counts[each.event] += 1
            if each.event != "disconnected":
                continue
            lost = each
        if poll is not None:
            yield Board(poll, tuple(recent), dict(counts), lost)
