"""Counts over all sessions for monitoring: one pass, bounded in time and memory."""

import re
import time
from collections import Counter

import msgspec

from pawsctl.sessions.contract import rules
from pawsctl.sessions.contract.model import Record, Session
from pawsctl.sessions.contract.rules import Checks
from pawsctl.sessions.query.rows import sound_session
from pawsctl.sessions.stats.expiry import ExpiryCounter
from pawsctl.sessions.store.reader import SessionReader

# The rules that a conversation breaks to which the bot can't give another answer.
STUCK = frozenset(
    (
        *("messages", "content", "empty-text", "unanswered-call", "late-result"),
        *("missing-result", "repeated-result", "empty-results", "open-call"),
    )
)
UNREADABLE, OTHER = "unreadable", "other"
"""The names for sessions without a status, and for those whose status is not counted by itself."""

# A status is any text, and could be a customer's: only a few words are told as they are.
_STATUSES = 20
_WORD = re.compile(r"[A-Za-z][A-Za-z_-]{0,31}")
# Sessions between two looks at the clock.
_STEP = 256


class Counts(msgspec.Struct, frozen=True):
    """The counts of a pass; `is_whole` says that it has seen every session.

    `ttls` are the counts up to each bound in seconds (None: any), each without the lower ones;
    `ttl_sum` is seconds. `oldest_wait` is in seconds, 0 if nobody waits.
    """

    sessions: int
    by_status: dict[str, int]
    by_rule: dict[str, int]
    unsound: int
    stuck: int
    waiting: int
    oldest_wait: float
    without_ttl: int
    ttls: list[tuple[int | None, int]]
    ttl_sum: float
    is_whole: bool


def count(reader: SessionReader, seconds: float) -> Counts:
    """Read the sessions for as many seconds at most, and return the counts."""
    ends = time.monotonic() + seconds
    counting = _Counting(reader, time.time() * 1000)
    is_cut = False
    for number, record in enumerate(reader.own_records(), 1):
        counting.add(record)
        if number % _STEP == 0 and time.monotonic() > ends:
            is_cut = True
            break
    return counting.result(is_whole=not is_cut and not reader.is_partial)


class _Counting:
    def __init__(self, reader: SessionReader, now_ms: float) -> None:
        self._now_ms = now_ms
        self._using: Checks = rules.checks(reader.keyspace)
        self._expiry = ExpiryCounter(reader.keyspace.ttl)
        self._statuses: Counter[str] = Counter()
        self._rules = {rule.id: 0 for rule in rules.of(reader.keyspace) if rule.level == "problem"}
        self._unsound = self._stuck = self._waiting = 0
        self._oldest_ms = now_ms
        self._ttl_sum_ms = 0

    def add(self, record: Record) -> None:
        self._expiry.add([record.ttl_ms])
        self._ttl_sum_ms += max(0, record.ttl_ms)
        session = self._judged(record)
        if not self._using.keyspace.is_raw:
            self._statuses[self._status(session)] += 1
        if session is not None and session.is_waiting:
            self._waiting += 1
            # A clock that is ahead, or a date that is none, makes no wait of years.
            if session.updated_at is not None and session.updated_at > 0:
                self._oldest_ms = min(self._oldest_ms, session.updated_at)

    def _judged(self, record: Record) -> Session | None:
        """Count the problems of a session, and return it."""
        keyspace = self._using.keyspace
        # Values of another application are not looked into.
        quick = None if keyspace.is_raw else sound_session(record, self._now_ms, self._using)
        if quick is not None:
            return quick
        reading = rules.read(record, keyspace)
        found = {each.rule for each in rules.problems(record, reading, self._now_ms, self._using)}
        for rule in found:
            self._rules[rule] = self._rules.get(rule, 0) + 1
        self._unsound += bool(found)
        self._stuck += not STUCK.isdisjoint(found)
        return reading.session

    def _status(self, session: Session | None) -> str:
        if session is None or not session.status:
            return UNREADABLE
        status = session.status
        is_known = status in self._statuses or len(self._statuses) < _STATUSES
        is_shown = self._using.keyspace.shown_status(status) == status
        return status if is_known and is_shown and _WORD.fullmatch(status) else OTHER

    def result(self, *, is_whole: bool) -> Counts:
        found = self._expiry.result()
        return Counts(
            sessions=found.sessions,
            by_status=dict(self._statuses),
            by_rule=self._rules,
            unsound=self._unsound,
            stuck=self._stuck,
            waiting=self._waiting,
            oldest_wait=max(0.0, (self._now_ms - self._oldest_ms) / 1000),
            without_ttl=found.never,
            ttls=[(bar.to, bar.sessions) for bar in found.histogram],
            ttl_sum=self._ttl_sum_ms / 1000,
            is_whole=is_whole,
        )
