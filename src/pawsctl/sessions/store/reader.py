"""Looking at sessions: single ones, and passes over all of them."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any, Self

from pawsctl.connection import (
    Command,
    Connection,
    ErrorReply,
    TooLarge,
    raise_for_error,
    ttls_of,
    types_of,
)
from pawsctl.connection.scan import all_servers, one_server
from pawsctl.connection.scan.portions import Portions
from pawsctl.errors import Partial
from pawsctl.sessions.contract import keys
from pawsctl.sessions.contract.model import Record
from pawsctl.sessions.store import records


class SessionReader:
    """The sessions behind one connection, which it closes at the end of a `with`.

    Where a part of a cluster does not answer, or an ACL keeps this user from some of the keys, a
    pass over all keys raises Partial when it has told what there is besides. With `partial`, it
    ends as if that were all, and the `with` raises Partial at its end: for what shows what there
    is, and draws no conclusion from what is missing.
    """

    def __init__(self, connection: Connection, *, partial: bool = False) -> None:
        self.connection = connection
        self._partial = partial
        # Keys of the pass that is under way, or was last, which this user may not read.
        self._forbidden = 0
        # What is said of values that are too large, and what is known of the sizes of the others.
        self._unread: list[str] = []
        self._portions = Portions()
        self._missing: Partial | None = None

    @property
    def is_partial(self) -> bool:
        """Whether a pass has missed a part of a cluster, or may not see all."""
        return self._missing is not None

    def record(self, key: bytes) -> Record | None:
        """What is stored under a key, whatever its type; None where it does not exist."""
        return self.records_of([key])[0]

    def records(self, pattern: bytes = keys.SESSIONS) -> Iterator[Record]:
        """Every session that matches, as SCAN finds them; what vanishes meanwhile is left out."""
        for _, found in self.snapshots(pattern):
            yield from found

    def snapshots(self, pattern: bytes = keys.SESSIONS) -> Iterator[tuple[float, list[Record]]]:
        """The same in batches, each with when it was asked for: seconds since the epoch."""
        strange: list[tuple[bytes, int]] = []
        times: dict[bytes, float] = {}

        def ask(names: list[bytes]) -> list[Command]:
            times[names[0]] = time.time()
            return [("MGET", *names)]

        for names, replies in self._batches(
            ask, one_server.Search(pattern, size=one_server.VALUES, values=True)
        ):
            ttls, values = replies[0], raise_for_error(replies[1])
            found = []
            for key, ttl_ms, value in zip(names, ttls, values, strict=True):
                if isinstance(value, TooLarge):
                    self._unread.append(records.unread(key, value.size))
                elif isinstance(value, ErrorReply):
                    self._forbidden += ttl_ms != -2
                elif value is not None and ttl_ms != -2:
                    found.append(Record(key, ttl_ms, value))
                elif ttl_ms != -2:
                    # MGET's word for any other type; asked about when the line is free.
                    strange.append((key, ttl_ms))
            yield times.pop(names[0]), found
        now = time.time()
        kinds = self.connection.pipeline([("TYPE", key) for key, _ in strange])
        yield (
            now,
            [
                Record(key, ttl_ms, None, kind.decode("utf-8", "backslashreplace"))
                for (key, ttl_ms), kind in zip(strange, kinds, strict=True)
                if raise_for_error(kind) not in (b"none", b"string")
            ],
        )

    def records_of(
        self, names: Sequence[bytes], *, left_out: Callable[[str], None] | None = None
    ) -> list[Record | None]:
        """What is stored under each of these keys; None where it does not exist.

        A value that is larger than a reply may be is OperationFailed, or None if `left_out` is
        there to be told of it.
        """
        return [
            record
            for some in one_server.slices(names, one_server.VALUES)
            for record in records.of_some(self.connection, some, self._portions, left_out)
        ]

    def ttls(self, names: Sequence[bytes]) -> list[int | None]:
        """Milliseconds left for each key, -1 for never, None where it does not exist."""
        found: list[int | None] = []
        for some in one_server.slices(names, one_server.KEYS):
            replies = self.connection.pipeline([("PTTL", key) for key in some])
            found += [None if raise_for_error(reply) == -2 else reply for reply in replies]
        return found

    def all_ttls(self) -> Iterator[int]:
        """Milliseconds left of every session, -1 for never, as they come from SCAN."""
        for _, replies in self._batches(lambda _names: [], one_server.Search(keys.SESSIONS)):
            yield from (ttl_ms for ttl_ms in replies[0] if ttl_ms != -2)

    def scan_ttls_and_sizes(
        self, pattern: bytes, sized: Callable[[bytes], bool]
    ) -> Iterator[tuple[float, list[tuple[bytes, int, int]]]]:
        """Every key that matches, its PTTL, and its value's size in bytes.

        The size is asked for where `sized` says so, and is -1 where it is not known. In batches,
        each with when it was asked for, in seconds of the monotonic clock.
        """
        times: dict[bytes, float] = {}
        chosen: dict[bytes, list[bytes]] = {}

        def ask(names: list[bytes]) -> list[Command]:
            times[names[0]] = time.monotonic()
            chosen[names[0]] = [key for key in names if sized(key)]
            return [(b"STRLEN", key) for key in chosen[names[0]]]

        for names, (ttls, *replies) in self._batches(ask, one_server.Search(pattern)):
            sizes = dict(zip(chosen.pop(names[0]), map(_size, replies), strict=True))
            found = zip(names, ttls, strict=True)
            yield (
                times.pop(names[0]),
                [(key, ttl_ms, sizes.get(key, -1)) for key, ttl_ms in found if ttl_ms != -2],
            )

    @cached_property
    def leaves_lru_alone(self) -> bool:
        """Whether the server lets us read a key without making it look used."""
        reply = self.connection.pipeline([("CLIENT", "NO-TOUCH", "ON")])[0]
        return not isinstance(reply, ErrorReply)

    def _batches(
        self, ask: one_server.Ask, search: one_server.Search
    ) -> Iterator[one_server.Batch]:
        """Every key that matches in batches: the list of their PTTLs, then the replies to `ask`."""
        self._forbidden = 0
        self._unread.clear()
        for names, replies in self._pass(search, lambda names: [ttls_of(names), *ask(names)]):
            ttls = raise_for_error(replies[0])
            if hidden := _hidden(ttls):
                # As what has gone: nothing else is told of them.
                self._forbidden += hidden
                ttls = [-2 if isinstance(each, ErrorReply) else each for each in ttls]
            yield names, [ttls, *replies[1:]]
        self._tell_forbidden()

    def _tell_forbidden(self) -> None:
        """Raises Partial, now or at the end of the `with`, for keys that may not be read."""
        if self._unread:
            more = len(self._unread) - _TOLD
            names = ", ".join(self._unread[:_TOLD]) + (f" and {more} more" if more > 0 else "")
            error = Partial(f"Not read: the value of {names}.", hint=records.TOO_LARGE_HINT)
        elif self._forbidden:
            error = Partial(
                f"{self._forbidden} keys may not be read by this user.",
                hint="What was shown is true and not the whole. --match names the keys that may be "
                "read; else ask for the permission.",
            )
        else:
            return
        if not self._partial:
            raise error
        self._missing = self._missing or error

    def _pass(self, search: one_server.Search, ask: one_server.Ask) -> Iterator[one_server.Batch]:
        try:
            yield from all_servers.batches(self.connection, search, ask, portions=self._portions)
        except Partial as error:
            if not self._partial:
                raise
            self._missing = error

    def count(self, pattern: bytes = keys.SESSIONS) -> dict[str, int]:
        """How many keys match, by Redis type."""
        self._forbidden = 0
        counts: Counter[str] = Counter()
        for _, replies in self._pass(one_server.Search(pattern), lambda names: [types_of(names)]):
            told = raise_for_error(replies[0])
            self._forbidden += _hidden(told)
            counts.update(kinds(told))
        self._tell_forbidden()
        return dict(counts)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        self.connection.close()
        if error is None and self._missing is not None:
            raise self._missing


_TOLD = 5


def _size(reply: Any) -> int:
    """STRLEN's reply; what is no string has no size."""
    if isinstance(reply, ErrorReply) and reply.code == "WRONGTYPE":
        return -1
    size: int = raise_for_error(reply)
    return size


_PLAIN = {int, bytes, type(None)}


def _hidden(told: Sequence[Any]) -> int:
    """How many of the answers, one for each key, are that this user may not ask."""
    # By types at first: nearly always there is none.
    if set(map(type, told)) <= _PLAIN:
        return 0
    return sum(isinstance(each, ErrorReply) for each in told)


def kinds(told: Sequence[bytes | ErrorReply]) -> dict[str, int]:
    """How many keys of each type there are, by what was told of each key."""
    counts = Counter(each for each in told if isinstance(each, bytes))
    # Gone between SCAN and TYPE.
    del counts[b"none"]
    return {kind.decode("utf-8", "backslashreplace"): count for kind, count in counts.items()}
