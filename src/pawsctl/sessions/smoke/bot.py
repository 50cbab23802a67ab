"""The bot's operations on its sessions, command for command as the bot does them."""

import time
from collections.abc import Sequence

import msgspec

from pawsctl.sessions.contract import keys, model
from pawsctl.sessions.contract.model import Document
from pawsctl.sessions.contract.rules import MAX_MESSAGES, MAX_TURNS
from pawsctl.sessions.store.store import SessionStore

SEEN_TTL_SECONDS = 3_600


def trimmed(messages: Sequence[Document]) -> list[Document]:
    """Return the messages as the bot trims them: if there are more than 24, the last 12 turns."""
    if len(messages) <= MAX_MESSAGES:
        return list(messages)
    starts = model.turns([each.get("role", "") for each in messages])
    return list(messages[starts[-MAX_TURNS] :] if len(starts) > MAX_TURNS else messages)


class BotSessions(SessionStore):
    """The sessions of one connection, read and written as the bot does it."""

    def load(self, phone: str) -> Document | None:
        """GET and decode a session; None if there is none or the value can't be parsed."""
        value = self.connection.call("GET", self.keyspace.key(phone))
        if value is None:
            return None
        try:
            found = msgspec.json.decode(value)
        except msgspec.DecodeError:
            return None
        return found if isinstance(found, dict) else None

    def save(self, phone: str, session: Document, *, ttl: int | None = None) -> bytes:
        """Set `updatedAt` to now and SETEX for `ttl` seconds; return the bytes stored.

        None stands for the keyspace's TTL.
        """
        session["updatedAt"] = int(time.time() * 1000)
        value = msgspec.json.encode(session)
        self.connection.call("SETEX", self.keyspace.key(phone), ttl or self.keyspace.ttl, value)
        return value

    def touch(self, phone: str) -> bool:
        """EXPIRE in the keyspace's TTL from now; return whether the session exists."""
        return bool(self.connection.call("EXPIRE", self.keyspace.key(phone), self.keyspace.ttl))

    def append(self, phone: str, *messages: Document) -> bytes:
        """Load, append, trim and save, not atomically, as the bot does; return the bytes stored."""
        session = self.load(phone) or {"status": "active", "messages": []}
        session["messages"] = trimmed([*session["messages"], *messages])
        return self.save(phone, session)

    def end(self, phone: str) -> bool:
        """DEL a session; return whether there was one."""
        return bool(self.connection.call("DEL", self.keyspace.key(phone)))

    def mark_seen(self, message_id: str) -> None:
        """Mark a WhatsApp message as handled, for an hour."""
        self.connection.call("SETEX", keys.seen_key(message_id), SEEN_TTL_SECONDS, "1")

    def is_seen(self, message_id: str) -> bool:
        """Return whether a WhatsApp message was handled in the last hour."""
        return bool(self.connection.call("EXISTS", keys.seen_key(message_id)))
