"""A reader of sessions that also deletes them, by key or by pattern, and replaces values."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from pawsctl.connection import (
    ASK_FOR_PERMISSION,
    Command,
    Connection,
    ErrorReply,
    PartlyRefused,
    Uncertain,
    is_about_a_key,
    is_in_doubt,
    raise_for_error,
    refused,
    types_of,
)
from pawsctl.connection.scan import all_servers, glob, one_server
from pawsctl.connection.transactions.compare_and_set import Swap, compare_and_set
from pawsctl.errors import LoginRefused, OperationFailed, RedisUnreachable
from pawsctl.plurals import plural
from pawsctl.sessions.contract.keys import nobodys_phone
from pawsctl.sessions.contract.keyspace import BOT, Keyspace
from pawsctl.sessions.store import key_replies, records, rehearsal
from pawsctl.sessions.store.reader import SessionReader

_NOT_KNOWN = (
    "Whether this user may delete these keys is not known beforehand: an ACL refuses others, and "
    "the transactions in which that would be tried."
)


class SessionStore(SessionReader):
    """Reads, deletes and replaces the sessions of one keyspace.

    `undeleted` is the number of keys that an ACL has kept this user from deleting.
    """

    def __init__(
        self, connection: Connection, *, keyspace: Keyspace = BOT, partial: bool = False
    ) -> None:
        super().__init__(connection, keyspace=keyspace, partial=partial)
        self.undeleted = 0

    def unlink(self, pattern: bytes | None = None) -> Iterator[dict[str, int]]:
        """Delete the keys that match a glob, all sessions if None.

        Yields for each batch how many of each type were deleted. Of another application's sessions,
        keys of other types stay; so do those that this user may not delete.

        Strings go first, without a TYPE for each key: SCAN selects them. A second pass deletes the
        few keys of other types.
        """
        pattern = pattern or self.keyspace.pattern()
        strings = one_server.Search(pattern, b"string", one_server.WRITTEN)
        for _, replies in _until_refused(self._deleting(strings, lambda _names: [])):
            # Those that were refused are refused again below.
            yield {"string": _done_and_refused(replies[0])[0]}
        if self.keyspace.is_raw:
            yield from self._unlink_strings(pattern)
            return
        # Find out first whether scripts may run: once a key is deleted, its type is lost.
        nobodys = self.keyspace.nobodys_key()
        self.tried([types_of([]), types_of([nobodys])])
        rest = one_server.Search(pattern, size=one_server.WRITTEN)
        for _, (told, reply) in self._deleting(rest, lambda names: [types_of(names)]):
            done, kept = _done_and_refused(reply)
            if kept:
                self.undeleted += kept
                yield {"key": done} if done else {}
            else:
                kinds = Counter(key_replies.kinds(raise_for_error(told)))
                if (untold := done - kinds.total()) > 0:
                    kinds["key"] += untold
                yield dict(kinds)

    def require_deleted(self) -> None:
        """Raise OperationFailed if an ACL has kept this user from deleting a key."""
        if self.undeleted:
            raise OperationFailed(
                f"This user may not delete {plural(self.undeleted, 'key')}.",
                hint=ASK_FOR_PERMISSION,
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
            yield {"string": sum(filter(None, self.unlink_keys(some)))}

    def others_among(self, names: Sequence[bytes]) -> dict[bytes, str]:
        """Return those keys that hold no string, with their types.

        None for the bot's sessions: the bot writes over whatever stands under its keys.
        """
        found: dict[bytes, str] = {}
        for some in one_server.slices(names if self.keyspace.is_raw else (), one_server.KEYS):
            replies = self.connection.pipeline([(b"TYPE", key) for key in some])
            records.require_allowed(some, replies, self.keyspace)
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

    def require_deletable(
        self, pattern: bytes, names: Sequence[bytes] | None = None, *, hint: str
    ) -> None:
        """Raise OperationFailed if a key that matches could not be deleted; try one of nobody.

        If an ACL refuses that one, the `names` decide, or all keys that match; the `hint` is for a
        user who may delete some of them. If Redis does not tell, that is said, and the deletion has
        to tell. Where only reads are sent, nothing is tried.
        """
        if self.connection.target.read_only:
            return
        # Without a `*`, a key that matches may be somebody's.
        nobodys = glob.example(pattern, nobodys_phone().encode()) or self.keyspace.nobodys_key()
        reply = self._deleted(nobodys)
        if not (isinstance(reply, ErrorReply) and is_about_a_key(reply)):
            raise_for_error(reply)
            return
        if names is None:
            found = rehearsal.of_search(self.connection, self._meant(pattern))
        else:
            found = rehearsal.of_names(self.connection, names)
        if found is None:
            self.connection.note(_NOT_KNOWN)
        elif found.first is not None:
            raise _may_not_delete(found, found.first, hint)

    def may_delete_all(self, pattern: bytes) -> bool:
        """Return whether this user may delete all keys that match. Raises as a pass does."""
        return rehearsal.may_delete_all(self.connection, self._meant(pattern))

    def refusals_of(self, commands: Sequence[Command]) -> list[ErrorReply] | None:
        """Return the refusals of those commands, each on one key, that Redis would refuse.

        None if it does not tell. Nothing is done.
        """
        return rehearsal.of_commands(self.connection, commands)

    def _meant(self, pattern: bytes) -> one_server.Search:
        """Return the search for the keys that a deletion of those that match means."""
        return one_server.Search(pattern, b"string" if self.keyspace.is_raw else b"")

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

    def unlink_keys(self, names: Sequence[bytes]) -> list[bool | None]:
        """Delete the keys; return for each whether it existed, None if an ACL refused that."""
        replies = self.connection.pipeline([(b"UNLINK", key) for key in names])
        found: list[bool | None] = []
        for reply in replies:
            done, kept = _done_and_refused(reply)
            self.undeleted += kept
            found.append(None if kept else bool(done))
        return found


def _until_refused(batches: Iterator[one_server.Batch]) -> Iterator[one_server.Batch]:
    """Yield batches until SCAN is refused: before Redis 6 it has no TYPE option."""
    with suppress(OperationFailed):
        yield from batches


def _done_and_refused(reply: Any) -> tuple[int, int]:
    """Return how many keys were deleted, and how many an ACL refused; raise for other errors."""
    if isinstance(reply, PartlyRefused):
        return reply.done, reply.refused
    if isinstance(reply, ErrorReply) and is_about_a_key(reply):
        # Of several keys, each was asked for alone.
        return 0, 1
    return raise_for_error(reply), 0


def _may_not_delete(found: rehearsal.Rehearsal, first: ErrorReply, hint: str) -> OperationFailed:
    """Return the failure for all of the keys before any of them was deleted."""
    some = found.refused < found.total
    keys = plural(found.total, "key")
    which = f"{found.refused} of the {keys}" if some else keys
    return refused(first).with_context(
        after=f"This user may not delete {which}.",
        hint=hint if some else "",
    )
