"""Write the sessions of an archive into an empty server of our own, and compare what it holds."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import chain
from typing import Any, NamedTuple

from pawsctl.connection import ErrorReply, raise_for_error, refused, ttls_of, types_of
from pawsctl.sessions.contract.keys import key_text
from pawsctl.sessions.contract.saved import LATEST_MS, Saved, moment
from pawsctl.sessions.store.bulk_writer import BulkWriter
from pawsctl.sessions.store.store import SessionStore

# Added to every session's TTL, so that none expires during the comparison.
_GRACE_MS = 3_600_000
_TTL_TOLERANCE_MS = 1_000
# Bytes of values that are written, and read back, at a time.
_MOST_BYTES = 1 << 20
_NEVER = -1

# Sets the expiry of each key, -1 for never, and returns how many keys then have it: Redis has no
# command for many keys, and a reply for each would take longer than the rest.
_EXPIRE_SCRIPT = """\
local exact = 0
for number, key in ipairs(KEYS) do
  local moment = ARGV[number]
  if moment ~= '-1' then redis.call('PEXPIREAT', key, moment) end
  if redis.call('PEXPIRETIME', key) == tonumber(moment) then exact = exact + 1 end
end
return exact"""


class TrialRestore:
    """Writes sessions into an empty server that nobody else uses, and reads them back.

    However long ago they were exported, they get the TTL that they had then; those whose time was
    over then, one with which their values can be compared. `bytes` is the size of the values so
    far, and an import would leave out those `expired` of the sessions.
    """

    def __init__(self, store: SessionStore, exported_at: datetime) -> None:
        self._connection = store.connection
        self._writer = BulkWriter(store, replace=False)
        self._begun_ms = int(self._writer.now_ms())
        self._exported_ms = int(exported_at.timestamp() * 1000)
        self._shift_ms = self._begun_ms - self._exported_ms + _GRACE_MS
        self.bytes = self.expired = 0

    def differences(self, sessions: Sequence[Saved]) -> Iterator[str]:
        """Write the sessions, and yield a sentence for each difference of what is stored then."""
        for some in _portions(sessions):
            columns = _columns(some)
            self.bytes += sum(map(len, columns.values))
            if columns.first <= self._begun_ms:
                self.expired += sum([0 <= each <= self._begun_ms for each in columns.moments])
            are_strings = not any(each.dumped for each in some)
            is_written = are_strings and self._are_written_at_once(columns)
            if is_written and self._expire_as_archived(columns):
                continue
            shifted = [self._shifted(each) for each in some]
            if not is_written:
                yield from _unwritten(shifted, self._writer.write(shifted))
            yield from self._unlike(shifted)

    def _shifted(self, saved: Saved) -> Saved:
        if saved.expires_at is None:
            return saved
        expires_at = moment(max(saved.expires_at, self._exported_ms) + self._shift_ms)
        return Saved(saved.key, saved.value, expires_at, saved.dumped)

    def _are_written_at_once(self, some: "_Columns") -> bool:
        """Write the values of all strings or of none; return whether they are written.

        A command and a reply for each would take twice as long. None are written if one of them
        needs a look of its own, as an expiry that can't be.
        """
        if (
            # A large one alone: the server may hang up at it.
            len(some.keys) == 1
            or some.first + self._shift_ms <= self._writer.now_ms()
            or some.last + self._shift_ms > LATEST_MS
        ):
            return False
        pairs = chain.from_iterable(zip(some.keys, some.values, strict=True))
        return bool(self._connection.call("MSETNX", *pairs) == 1)

    def _expire_as_archived(self, some: "_Columns") -> bool:
        """Set the expiry of each; return whether all values and expiries are then as archived."""
        by_ms = self._shift_ms
        moments = [b"-1" if each == _NEVER else b"%d" % (each + by_ms) for each in some.moments]
        count = b"%d" % len(some.keys)
        exact, values = self._asked(
            (b"EVAL", _EXPIRE_SCRIPT, count, *some.keys, *moments), (b"MGET", *some.keys)
        )
        return bool(exact == len(some.keys) and values == some.values)

    def _unlike(self, sessions: Sequence[Saved]) -> Iterator[str]:
        names = [each.key for each in sessions]
        # Not a float, which would round a moment far away to seconds.
        asked_ms = int(self._writer.now_ms())
        ttls, values = self._asked(ttls_of(names), ("MGET", *names))
        if any(each.dumped for each in sessions):
            values = self._with_dumps(sessions, values)
        for saved, ttl_ms, value in zip(sessions, ttls, values, strict=True):
            left_ms = -1 if saved.expires_at is None else saved.expires_at - asked_ms
            is_timely = -_TTL_TOLERANCE_MS <= left_ms - ttl_ms <= _TTL_TOLERANCE_MS
            if value == saved.value and is_timely and (left_ms < 0) == (ttl_ms < 0):
                continue
            if value is None:
                yield f"{key_text(saved.key)} is missing"
                continue
            if value != saved.value:
                yield f"{key_text(saved.key)} has another value"
            if not is_timely or (left_ms < 0) != (ttl_ms < 0):
                yield f"{key_text(saved.key)} has {ttl_ms} ms to live and should have {left_ms}"

    def _with_dumps(self, sessions: Sequence[Saved], values: Sequence[Any]) -> list[Any]:
        """Return the values, and for keys of the right type that are no strings, their dumps.

        RESTORE has read a dump to its end. What DUMP returns now may differ from it: each version
        of the server writes its own.
        """
        (types,) = self._asked(types_of([each.key for each in sessions]))
        return [
            saved.value if saved.dumped and kind == saved.dumped.encode() else value
            for saved, kind, value in zip(sessions, types, values, strict=True)
        ]

    def _asked(self, *commands: Sequence[bytes | str | int]) -> list[Any]:
        return [raise_for_error(each) for each in self._connection.pipeline(commands)]


class _Columns(NamedTuple):
    """Sessions, column by column: a look at each of them, one after the other, would take longer.

    `moments` are the expiries in milliseconds since the epoch, -1 for never; `first` and `last` are
    the earliest and the latest.
    """

    keys: list[bytes]
    values: list[bytes]
    moments: list[int]
    first: int
    last: int


def _columns(sessions: Sequence[Saved]) -> _Columns:
    moments = [_NEVER if each.expires_at is None else each.expires_at for each in sessions]
    first = min(moments)
    if first == _NEVER:
        first = min([each for each in moments if each != _NEVER], default=LATEST_MS)
    return _Columns(
        [each.key for each in sessions],
        [each.value for each in sessions],
        moments,
        first,
        max(moments),
    )


def _unwritten(sessions: Sequence[Saved], written: Sequence[bool | ErrorReply]) -> Iterator[str]:
    for saved, each in zip(sessions, written, strict=True):
        if isinstance(each, ErrorReply) and saved.dumped:
            yield f"{key_text(saved.key)}, a {saved.dumped}, can't be read by this server: {each}"
        elif isinstance(each, ErrorReply):
            raise refused(each)


def _portions(sessions: Sequence[Saved]) -> Iterator[Sequence[Saved]]:
    """Yield the sessions in portions whose values are held in memory twice."""
    if sum([len(each.value) for each in sessions]) <= _MOST_BYTES:
        yield sessions
        return
    some: list[Saved] = []
    size = 0
    for each in sessions:
        if some and size + len(each.value) > _MOST_BYTES:
            yield some
            some, size = [], 0
        some.append(each)
        size += len(each.value)
    if some:
        yield some
