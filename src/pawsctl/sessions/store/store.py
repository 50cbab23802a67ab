"""A reader of sessions that also deletes them, by key or by pattern, and replaces values."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from pawsctl.connection import (
    Command,
    ErrorReply,
    PartlyRefused,
    Uncertain,
    is_about_a_key,
    is_in_doubt,
    raise_for_error,
    types_of,
)
from pawsctl.connection.scan import all_servers, one_server
from pawsctl.connection.transactions.compare_and_set import Swap, compare_and_set
from pawsctl.errors import LoginRefused, OperationFailed, Partial, RedisUnreachable
from pawsctl.plurals import plural
from pawsctl.sessions.contract.keys import nobodys_phone
from pawsctl.sessions.store import key_replies
from pawsctl.sessions.store.reader import SessionReader


class SessionStore(SessionReader):
    """Reads, deletes and replaces the sessions of one keyspace."""

    def unlink(self, pattern: bytes | None = None) -> Iterator[dict[str, int]]:
        """Delete the keys that match a glob, all sessions if None.

        Yields for each batch how many of each type were deleted. Of another application's sessions,
        keys of other types stay.

        Strings go first, without a TYPE for each key: SCAN selects them. A second pass deletes the
        few keys of other types.
        """
        pattern = pattern or self.keyspace.pattern()
        strings = one_server.Search(pattern, b"string", one_server.WRITTEN)
        for _, replies in _until_refused(self._deleting(strings, lambda _names: [])):
            yield {"string": _done(replies[0])}
        if self.keyspace.is_raw:
            yield from self._unlink_strings(pattern)
            return
        # Find out first whether scripts may run: once a key is deleted, its type is lost.
        nobodys = self.keyspace.nobodys_key()
        self.tried([types_of([]), types_of([nobodys])])
        rest, forbidden = one_server.Search(pattern, size=one_server.WRITTEN), 0
        for _, (told, reply) in self._deleting(rest, lambda names: [types_of(names)]):
            if isinstance(reply, PartlyRefused):
                forbidden += reply.refused
                yield {"key": reply.done} if reply.done else {}
            else:
                kinds = Counter(key_replies.kinds(raise_for_error(told)))
                if (untold := raise_for_error(reply) - kinds.total()) > 0:
                    kinds["key"] += untold
                yield dict(kinds)
        if forbidden:
            raise Partial(
                f"This user may not delete {plural(forbidden, 'key')}.",
                hint="--match names the keys that may be; else ask for the permission.",
            )

    def _unlink_strings(self, pattern: bytes) -> Iterator[dict[str, int]]:
        """Delete the strings that a second pass finds, which is after the end of the first one.

        SCAN has selected nearly all for the first, unless Redis is older than 6.
        """
        left: list[bytes] = []
        search = one_server.Search(pattern, size=one_server.WRITTEN)
        # Nothing else may be sent during a pass: replies are under way.
        for names, (ttls, told) in self._batches(lambda names: [types_of(names)], search):
            left += [names[index] for index in sorted(self._strings(ttls, told))]
        for some in one_server.slices(left, one_server.WRITTEN):
            yield {"string": sum(self.unlink_keys(some))}

    def others_among(self, names: Sequence[bytes]) -> dict[bytes, str]:
        """Return those keys that hold no string, with their types.

        None for the bot's sessions: the bot writes over whatever stands under its keys.
        """
        found: dict[bytes, str] = {}
        for some in one_server.slices(names if self.keyspace.is_raw else (), one_server.KEYS):
            replies = self.connection.pipeline([(b"TYPE", key) for key in some])
            for key, reply in zip(some, replies, strict=True):
                if raise_for_error(reply) not in (b"string", b"none"):
                    found[key] = reply.decode("utf-8", "backslashreplace")
        return found

    def require_strings(self, names: Sequence[bytes]) -> None:
        """Raise OperationFailed if a key of another application's sessions is no string."""
        for key, kind in self.others_among(names).items():
            raise OperationFailed(
                f"{self.keyspace.shown_key(key)} holds a {kind}, not a string: it is no session, "
                "and nothing was changed.",
                hint="Look at it with redis-cli.",
            )

    def require_deletable(self, pattern: bytes) -> None:
        """Raise OperationFailed if a key that matches could not be deleted; try one of nobody.

        Where only reads are sent, nothing is tried.
        """
        if self.connection.target.read_only:
            return
        beginning = re.split(rb"[*?\[\\]", pattern, maxsplit=1)[0]
        raise_for_error(self._deleted(beginning + nobodys_phone().encode()))

    def require_deleting(self) -> None:
        """Raise OperationFailed if no key at all could be deleted; try one of nobody."""
        try:
            # It is no session.
            with self.connection.ledger.aside():
                reply = self._deleted(self.keyspace.nobodys_key())
        except LoginRefused:
            raise
        except RedisUnreachable:
            # A proxy hangs up at what it does not know, and may know what is sent later.
            return
        # In doubt, the keys themselves will tell.
        if isinstance(reply, ErrorReply) and not (is_about_a_key(reply) or is_in_doubt(reply)):
            raise_for_error(reply)

    def _deleted(self, nobodys: bytes) -> Any:
        """Delete a key of nobody and return the reply."""
        reply = self.tried([(b"UNLINK", nobodys)])[0]
        if isinstance(reply, ErrorReply) and is_in_doubt(reply):
            # Nobody's key is at stake, so that any words count as a refusal of UNLINK.
            self.connection.substitutes.give_up(b"UNLINK")
            reply = self.tried([(b"UNLINK", nobodys)])[0]
        return reply

    def tried(self, commands: Sequence[Command]) -> list[Any]:
        """Send commands to find out whether they are refused; return their replies.

        A node of a cluster that can't be reached refuses nothing: its replies are None. That no
        reply came to a write is not told as a doubt: the keys are nobody's.
        """
        try:
            return self.connection.pipeline(commands)
        except LoginRefused:
            raise
        except RedisUnreachable as error:
            if self.connection.resolved().is_cluster:
                return [None] * len(commands)
            cause = error.__cause__
            if isinstance(error, Uncertain) and isinstance(cause, RedisUnreachable):
                raise cause.with_context() from cause
            raise

    def _deleting(
        self, search: one_server.Search, ask: one_server.Ask
    ) -> Iterator[one_server.Batch]:
        """Yield the batches of a pass that sends `ask` for each batch of keys and deletes them."""
        return all_servers.batches(
            self.connection, search, lambda names: [*ask(names), ("UNLINK", *names)], deletes=True
        )

    def replace(self, key: bytes, expected: bytes, value: bytes) -> Swap:
        """Replace a session's value, and keep its TTL, if it is still the expected one."""
        return compare_and_set(self.connection, key, expected, value)

    def unlink_keys(self, names: Sequence[bytes]) -> list[bool]:
        """Delete the keys; return for each whether it existed."""
        replies = self.connection.pipeline([(b"UNLINK", key) for key in names])
        return [bool(raise_for_error(each)) for each in replies]


def _until_refused(batches: Iterator[one_server.Batch]) -> Iterator[one_server.Batch]:
    """Yield batches until SCAN is refused: before Redis 6 it has no TYPE option."""
    with suppress(OperationFailed):
        yield from batches


def _done(reply: Any) -> int:
    """Return how many keys were deleted. Raises OperationFailed if all were refused."""
    done: int = reply.done if isinstance(reply, PartlyRefused) else raise_for_error(reply)
    return done
