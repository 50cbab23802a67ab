"""Reading sessions: single ones, and passes over all of them."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any, Self

from pawsctl import clock
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
from pawsctl.plurals import plural
from pawsctl.sessions.contract.keyspace import BOT, Keyspace
from pawsctl.sessions.contract.model import Columns, Record
from pawsctl.sessions.store import key_replies, records


class SessionReader:
    """Reads the sessions of one keyspace, and closes its connection at the end of a `with`.

    If a part of a cluster does not answer, or an ACL keeps this user from some of the keys, a pass
    over all keys yields the others and then raises Partial. With `partial`, the pass ends normally,
    and the `with` raises Partial at its end: for commands that conclude nothing from missing ones.
    """

    def __init__(
        self, connection: Connection, *, keyspace: Keyspace = BOT, partial: bool = False
    ) -> None:
        self.connection = connection
        self.keyspace = keyspace
        connection.key_prefix = keyspace.prefix
        self._partial = partial
        # The number of keys that this user may not read, in the current or last pass.
        self._forbidden = 0
        # Texts on values that are too large, and the known sizes of others.
        self._unread: list[str] = []
        self._portions = Portions()
        # The number of keys that a pass over another application's sessions left out, by type.
        self.left_out: Counter[str] = Counter()
        self._missing: Partial | None = None

    @property
    def is_partial(self) -> bool:
        """Whether a pass has missed a part of a cluster, or keys that this user may not read."""
        return self._missing is not None

    def record(self, key: bytes) -> Record | None:
        """Return the record of a key, of any type; None if it does not exist."""
        return self.records_of([key])[0]

    def records(self, match: str | None = None) -> Iterator[Record]:
        """Yield every session that matches, in SCAN's order; those gone meanwhile are left out.

        `match` is a glob on names; None for all.
        """
        for _, found in self.snapshots(match):
            yield from found

    def own_columns(self, match: str | None = None) -> Iterator[Columns]:
        """Yield the same in batches, without the keys that another application's can't be.

        Those that hold no string are counted in `left_out`.
        """
        for found in self.columns(match):
            if self.keyspace.is_raw and found.types:
                self.left_out.update(found.types)
            else:
                yield found

    def own_records(self, match: str | None = None) -> Iterator[Record]:
        """Yield the same one by one."""
        for found in self.own_columns(match):
            yield from found.records

    def own_of(self, found: list[Record]) -> list[Record]:
        """Return the same for records that were read."""
        return self._strings_of(found) if self.keyspace.is_raw else found

    def left_out_texts(self) -> list[str]:
        """Return words for the keys that the last pass left out, such as `2 keys of type hash`."""
        return [
            f"{plural(count, 'key')} of type {kind} under {self.keyspace.prefix}"
            for kind, count in self.left_out.items()
        ]

    def _strings_of(self, found: Sequence[Record]) -> list[Record]:
        self.left_out.update(record.type for record in found if record.value is None)
        return [record for record in found if record.value is not None]

    def snapshots(self, match: str | None = None) -> Iterator[tuple[float, list[Record]]]:
        """Yield the same in batches, each with its time of asking, in seconds since the epoch.

        Keys of another type come last.
        """
        return self.snapshots_of(self.keyspace.pattern(match))

    def snapshots_of(self, pattern: bytes) -> Iterator[tuple[float, list[Record]]]:
        """Yield the same for keys that match a glob, also outside the keyspace."""
        for asked_at, found in self.timed_columns(pattern):
            yield asked_at, found.records

    def columns(self, match: str | None = None) -> Iterator[Columns]:
        """Yield the sessions that `snapshots` yields, column by column."""
        for _, found in self.timed_columns(self.keyspace.pattern(match)):
            yield found

    def timed_columns(self, pattern: bytes) -> Iterator[tuple[float, Columns]]:
        """Yield the same as `snapshots_of`, column by column."""
        strange: list[tuple[bytes, int]] = []
        times: dict[bytes, float] = {}

        def ask(names: list[bytes]) -> list[Command]:
            times[names[0]] = time.time()
            return [(b"MGET", *names)]

        for names, replies in self._batches(
            ask, one_server.Search(pattern, size=one_server.VALUES, values=True)
        ):
            ttls, values = replies[0], raise_for_error(replies[1])
            # As nearly all are: every key exists and is a string.
            if -2 not in ttls and set(map(type, values)) == {bytes}:
                yield times.pop(names[0]), Columns(names, ttls, values)
                continue
            found: list[tuple[bytes, int, bytes]] = []
            for key, ttl_ms, value in zip(names, ttls, values, strict=True):
                if isinstance(value, TooLarge):
                    self._unread.append(records.unread(self.keyspace.shown_key(key), value.size))
                elif isinstance(value, ErrorReply):
                    self._forbidden += ttl_ms != -2
                elif value is not None and ttl_ms != -2:
                    found.append((key, ttl_ms, value))
                elif ttl_ms != -2:
                    # MGET returns None for other types; TYPE follows when no reply is under way.
                    strange.append((key, ttl_ms))
            asked_at = times.pop(names[0])
            if found:
                yield asked_at, Columns(*zip(*found, strict=True))
        now = time.time()
        kinds = self.connection.pipeline([("TYPE", key) for key, _ in strange])
        others = [
            (key, ttl_ms, kind.decode("utf-8", "backslashreplace"))
            for (key, ttl_ms), kind in zip(strange, kinds, strict=True)
            if raise_for_error(kind) not in (b"none", b"string")
        ]
        if others:
            keys, ttls, types = zip(*others, strict=True)
            yield now, Columns(keys, ttls, (), types)

    def records_of(
        self, names: Sequence[bytes], *, left_out: Callable[[str], None] | None = None
    ) -> list[Record | None]:
        """Return the record of each key; None if it does not exist.

        A value that is too large for a reply raises OperationFailed; with `left_out`, that is
        called with a sentence instead, and the record is None.
        """
        return [
            record
            for some in one_server.slices(names, one_server.VALUES)
            for record in records.of_some(
                self.connection, some, self._portions, left_out, self.keyspace
            )
        ]

    def ttls(self, names: Sequence[bytes]) -> list[int | None]:
        """Return the milliseconds left for each key, -1 for never, None if it does not exist."""
        found: list[int | None] = []
        for some in one_server.slices(names, one_server.KEYS):
            replies = self.connection.pipeline([("PTTL", key) for key in some])
            records.require_allowed(some, replies, self.keyspace)
            found += [None if raise_for_error(reply) == -2 else reply for reply in replies]
        return found

    def names(self, pattern: bytes | None = None) -> Iterator[list[bytes]]:
        """Yield the keys of all sessions in batches, of any type; or those that match a glob."""
        search = one_server.Search(pattern) if pattern else self._everything
        for names, _ in self._batches(lambda _names: [], search):
            yield names

    def all_ttls(self) -> Iterator[list[int]]:
        """Yield in batches the milliseconds left for every session, -1 for never."""
        if self.keyspace.is_raw:
            for _, (ttls, told) in self._batches(lambda names: [types_of(names)], self._everything):
                yield [ttls[index] for index in self._strings(ttls, told)]
            return
        for _, replies in self._batches(lambda _names: [], self._everything):
            yield [ttl_ms for ttl_ms in replies[0] if ttl_ms != -2]

    def scan_ttls_and_sizes(
        self, match: str | None, sized: Callable[[bytes], bool]
    ) -> Iterator[tuple[float, list[tuple[bytes, int, int]]]]:
        """Yield every key that matches, its PTTL, and its value's size in bytes.

        The size is asked for if `sized` says so for the key, and is -1 if it is not known. The keys
        come in batches, each with the time it was asked for, as `clock.now` tells it.
        """
        times: dict[bytes, float] = {}
        chosen: dict[bytes, list[bytes]] = {}

        def ask(names: list[bytes]) -> list[Command]:
            times[names[0]] = clock.now()
            chosen[names[0]] = [key for key in names if sized(key)]
            types = [types_of(names)] if self.keyspace.is_raw else []
            return [*types, *((b"STRLEN", key) for key in chosen[names[0]])]

        search = one_server.Search(self.keyspace.pattern(match))
        for names, (ttls, *replies) in self._batches(ask, search):
            if self.keyspace.is_raw:
                meant = self._strings(ttls, replies.pop(0))
                found = [(names[index], ttls[index]) for index in sorted(meant)]
            else:
                found = list(zip(names, ttls, strict=True))
            sizes = dict(zip(chosen.pop(names[0]), map(key_replies.size, replies), strict=True))
            yield (
                times.pop(names[0]),
                [(key, ttl_ms, sizes.get(key, -1)) for key, ttl_ms in found if ttl_ms != -2],
            )

    def _strings(self, ttls: Sequence[int], told: Any) -> set[int]:
        """Return the indexes of the keys that are strings; the others that exist are left out."""
        there = [
            (index, kind)
            for index, kind in enumerate(raise_for_error(told))
            if ttls[index] != -2 and isinstance(kind, bytes)
        ]
        self.left_out.update(key_replies.kinds([kind for _, kind in there if kind != b"string"]))
        return {index for index, kind in there if kind == b"string"}

    @property
    def _everything(self) -> one_server.Search:
        return one_server.Search(self.keyspace.pattern())

    @cached_property
    def leaves_lru_alone(self) -> bool:
        """Whether the server lets this client read a key without marking it as used (NO-TOUCH)."""
        reply = self.connection.pipeline([("CLIENT", "NO-TOUCH", "ON")])[0]
        return not isinstance(reply, ErrorReply)

    def _batches(
        self, ask: one_server.Ask, search: one_server.Search
    ) -> Iterator[one_server.Batch]:
        """Yield the keys that match in batches: the list of PTTLs, then the replies to `ask`."""
        self._forbidden = 0
        self._unread.clear()
        self.left_out.clear()
        for names, replies in self._pass(search, lambda names: [ttls_of(names), *ask(names)]):
            ttls = raise_for_error(replies[0])
            if hidden := key_replies.hidden(ttls):
                # Treated as gone: the batch has no other replies for them.
                self._forbidden += hidden
                ttls = [-2 if isinstance(each, ErrorReply) else each for each in ttls]
            yield names, [ttls, *replies[1:]]
        self._tell_forbidden()

    def _tell_forbidden(self) -> None:
        """Raise Partial, now or at the end of the `with`, if some keys could not be read."""
        error = records.not_read(self._unread, self._forbidden)
        if error is None:
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

    def count(self, pattern: bytes | None = None) -> dict[str, int]:
        """Return the number of keys that match a glob, of all sessions if None, by Redis type."""
        self._forbidden = 0
        counts: Counter[str] = Counter()
        search = one_server.Search(pattern or self.keyspace.pattern())
        for _, replies in self._pass(search, lambda names: [types_of(names)]):
            told = raise_for_error(replies[0])
            self._forbidden += key_replies.hidden(told)
            counts.update(key_replies.kinds(told))
        self._tell_forbidden()
        return dict(counts)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        self.connection.close()
        if error is None and self._missing is not None:
            raise self._missing
