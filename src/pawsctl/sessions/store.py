"""The bot's operations on its sessions, command for command as the bot does them, and deleting."""

import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

import msgspec

from pawsctl.connection import ErrorReply, PartlyRefused, checked, is_in_doubt, types_of
from pawsctl.errors import OperationFailed, Partial
from pawsctl.sessions import keys, model, passes, reader, scan
from pawsctl.sessions.reader import SessionReader
from pawsctl.sessions.rules import MAX_MESSAGES, MAX_TURNS, TTL_SECONDS

SEEN_TTL_SECONDS = 3_600

# What a stored conversation is while it is being changed: JSON as the bot writes it.
Document = dict[str, Any]


class SessionStore(SessionReader):
    """The sessions behind one connection, to be read and written."""

    def unlink(self, pattern: bytes = scan.SESSIONS) -> Iterator[dict[str, int]]:
        """Delete what matches, batch by batch; yields how many keys of each type it was.

        Sessions go first, and no key is asked for its type: Redis tells strings alone. Then the
        few keys of other types, one pass more over what is left.
        """
        strings = scan.Search(pattern, b"string", scan.WRITTEN)
        for _, replies in _until_refused(self._deleting(strings, lambda _names: [])):
            yield {"string": _done(replies[0])}
        # Whether scripts may run is found out before: once a key has gone, its type is not told.
        nobodys = keys.session_key(keys.nobodys_phone())
        self.connection.pipeline([types_of([]), types_of([nobodys])])
        rest, forbidden = scan.Search(pattern, size=scan.WRITTEN), 0
        for _, (told, reply) in self._deleting(rest, lambda names: [types_of(names)]):
            if isinstance(reply, PartlyRefused):
                forbidden += reply.refused
                yield {"key": reply.done} if reply.done else {}
            else:
                kinds = Counter(reader.kinds(checked(told)))
                if (untold := checked(reply) - kinds.total()) > 0:
                    kinds["key"] += untold
                yield dict(kinds)
        if forbidden:
            raise Partial(
                f"{forbidden} keys may not be deleted by this user.",
                hint="--match names the keys that may be; else ask for the permission.",
            )

    def require_deletable(self, pattern: bytes) -> None:
        """Raises OperationFailed if a key that matches could not be deleted: nobody's is tried."""
        beginning = re.split(rb"[*?\[\\]", pattern, maxsplit=1)[0]
        nobodys = beginning + keys.nobodys_phone().encode()
        reply = self.connection.pipeline([(b"UNLINK", nobodys)])[0]
        if isinstance(reply, ErrorReply) and is_in_doubt(reply):
            # Whatever was done to nobody's key: in what words UNLINK is refused does not matter.
            self.connection.substitutes.give_up(b"UNLINK")
            reply = self.connection.pipeline([(b"UNLINK", nobodys)])[0]
        checked(reply)

    def _deleting(self, search: scan.Search, ask: scan.Ask) -> Iterator[scan.Batch]:
        """A pass that asks something of a batch of keys and deletes them."""
        return passes.batches(
            self.connection, search, lambda names: [*ask(names), ("UNLINK", *names)], deletes=True
        )

    def unlink_keys(self, names: Sequence[bytes]) -> list[bool]:
        """Delete these keys; whether each of them existed."""
        replies = self.connection.pipeline([(b"UNLINK", key) for key in names])
        return [bool(checked(each)) for each in replies]


def _until_refused(batches: Iterator[scan.Batch]) -> Iterator[scan.Batch]:
    """The batches of a pass, which ends where SCAN is refused: before Redis 6 it knows no TYPE."""
    with suppress(OperationFailed):
        yield from batches


def _done(reply: Any) -> int:
    """How many keys were deleted. Raises OperationFailed where none may be."""
    done: int = reply.done if isinstance(reply, PartlyRefused) else checked(reply)
    return done


def trimmed(messages: Sequence[Document]) -> list[Document]:
    """The bot's trim: up to 24 messages as they are, beyond that the last 12 turns."""
    if len(messages) <= MAX_MESSAGES:
        return list(messages)
    starts = model.turns([each.get("role", "") for each in messages])
    return list(messages[starts[-MAX_TURNS] :] if len(starts) > MAX_TURNS else messages)


class BotSessions(SessionStore):
    """The sessions behind one connection, read and written as the bot does it."""

    def load(self, phone: str) -> Document | None:
        """GET and decode; None where there is no session or the value can't be parsed."""
        value = self.connection.call("GET", keys.session_key(phone))
        if value is None:
            return None
        try:
            found = msgspec.json.decode(value)
        except msgspec.DecodeError:
            return None
        return found if isinstance(found, dict) else None

    def save(self, phone: str, session: Document, *, ttl: int = TTL_SECONDS) -> bytes:
        """Set `updatedAt` to now and SETEX for `ttl` seconds; the bytes that were stored."""
        session["updatedAt"] = int(time.time() * 1000)
        value = msgspec.json.encode(session)
        self.connection.call("SETEX", keys.session_key(phone), ttl, value)
        return value

    def touch(self, phone: str) -> bool:
        """EXPIRE to six hours from now; whether the session exists."""
        return bool(self.connection.call("EXPIRE", keys.session_key(phone), TTL_SECONDS))

    def append(self, phone: str, *messages: Document) -> bytes:
        """Load, push, trim, save, as the bot does it: not atomic. Returns the bytes stored."""
        session = self.load(phone) or {"status": "active", "messages": []}
        session["messages"] = trimmed([*session["messages"], *messages])
        return self.save(phone, session)

    def end(self, phone: str) -> bool:
        """DEL; whether there was a session."""
        return bool(self.connection.call("DEL", keys.session_key(phone)))

    def mark_seen(self, message_id: str) -> None:
        """Remember for an hour that a WhatsApp message was handled."""
        self.connection.call("SETEX", keys.seen_key(message_id), SEEN_TTL_SECONDS, "1")

    def is_seen(self, message_id: str) -> bool:
        """Whether a WhatsApp message was handled in the last hour."""
        return bool(self.connection.call("EXISTS", keys.seen_key(message_id)))
