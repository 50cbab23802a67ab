"""Following one conversation as it grows, like `tail -f`, by polling."""

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Literal

import msgspec

from pawsctl import clock
from pawsctl.sessions.contract import decode, model, rules
from pawsctl.sessions.contract.keyspace import Keyspace
from pawsctl.sessions.contract.model import Message, Record, Session
from pawsctl.sessions.contract.rules import Checks
from pawsctl.sessions.store.reader import SessionReader
from pawsctl.sessions.watch.outages import ConnectionEvent, Outages
from pawsctl.sessions.watch.watch import SLACK_SECONDS, Kind, SessionEvent, event_of


class MessageEvent(msgspec.Struct, frozen=True):
    """A message for programs; `text` is its text as a person reads it.

    `message` is as it was stored, None if it can't be taken out of the stored value.
    """

    time: datetime
    event: Literal["message"]
    phone: str
    key: str
    role: str
    text: str
    message: msgspec.Raw | None


class NewMessage(msgspec.Struct, frozen=True):
    """A new message: `event` for programs, `message` for people."""

    event: MessageEvent
    message: Message


def as_result(
    found: NewMessage | SessionEvent | ConnectionEvent,
) -> MessageEvent | SessionEvent | ConnectionEvent:
    """Return the event for programs."""
    return found.event if isinstance(found, NewMessage) else found


class _Raw(msgspec.Struct):
    messages: list[msgspec.Raw]


def tail(
    store: SessionReader,
    key: bytes,
    *,
    last: int | None,
    interval: float,
    missing: Callable[[], None],
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[NewMessage | SessionEvent | ConnectionEvent]:
    """Yield the `last` messages of a session (None: all), then new messages and events, for ever.

    `interval` is the seconds between polls. If there is no session at first, `missing` is called,
    and the session is waited for.
    """
    using = rules.checks(store.keyspace)
    before: _Snapshot | None = None
    outages = Outages(store.connection, sleep)

    def poll() -> Iterator[NewMessage | SessionEvent | None]:
        nonlocal before
        asked = clock.now()
        now = _Snapshot(store.record(key), store.keyspace, asked)
        yield None
        if before is not None:
            yield from _changes(using, key, before, now)
        else:
            if now.record is None:
                missing()
            yield from _new_messages(store.keyspace, key, now, _last(now.messages, last))
        before = now

    while True:
        begun = time.monotonic()
        found: Iterator[NewMessage | SessionEvent | ConnectionEvent] = outages.through(poll)
        yield from found
        sleep(max(0.0, begun + interval - time.monotonic()))


class _Snapshot:
    """A session as one poll saw it."""

    def __init__(self, record: Record | None, keyspace: Keyspace, asked: float) -> None:
        self.record = record
        reading = rules.read(record, keyspace) if record else None
        self.session: Session | None = reading.session if reading else None
        self.messages: Sequence[Message] = self.session.messages if self.session else ()
        # The session expires between these moments of `clock.now`, as in watch.py.
        left = record.ttl_ms / 1000 if record and record.ttl_ms >= 0 else float("inf")
        self.early = asked + left - SLACK_SECONDS
        self.late = clock.now() + left + SLACK_SECONDS

    @property
    def value(self) -> bytes | None:
        return self.record.value if self.record else None


def _changes(
    using: Checks, key: bytes, before: _Snapshot, now: _Snapshot
) -> Iterator[NewMessage | SessionEvent]:
    def event(kind: Kind) -> SessionEvent:
        return event_of(using, key, kind, now.record, time.time() * 1000)

    if now.record is None:
        if before.record is not None:
            yield event("expired" if before.early <= clock.now() else "deleted")
        return
    if before.record is None:
        yield event("appeared")
        yield from _new_messages(using.keyspace, key, now, now.messages)
    elif now.value == before.value:
        if now.early > before.late or now.late < before.early:
            yield event("touched")
    else:
        added = appended(before.messages, now.messages)
        if added is None or not added:
            # Another conversation, or the same one with another change than new messages.
            yield event("changed")
        yield from _new_messages(using.keyspace, key, now, now.messages if added is None else added)


def appended(before: Sequence[Message], now: Sequence[Message]) -> Sequence[Message] | None:
    """Return the messages that were added at the end; the bot may have trimmed the beginning.

    None if none of the earlier messages is left: that is another conversation.
    """
    # Compared by fields: in a session of unusual shape, messages are of another class.
    old, new = list(map(_fields, before)), list(map(_fields, now))
    for trimmed in range(len(old)):
        kept = len(old) - trimmed
        if new[:kept] == old[trimmed:]:
            return now[kept:]
    return None if before else now


def _fields(message: Message) -> object:
    """Return the content of a message and its blocks, without their classes."""
    content = message.content
    if isinstance(content, list):
        content = [msgspec.to_builtins(block) for block in content]
    return message.role, content, message.tool_name, message.tool_use_id


def _last(messages: Sequence[Message], count: int | None) -> Sequence[Message]:
    return messages if count is None else messages[model.last_said(messages, count) :]


def _new_messages(
    keyspace: Keyspace, key: bytes, now: _Snapshot, messages: Sequence[Message]
) -> Iterator[NewMessage]:
    """Yield `messages`, the last ones of a session, as new."""
    if keyspace.mask is not None and now.record is not None:
        now = _Snapshot(keyspace.shown_record(now.record), keyspace, 0)
    stored = _stored(now)
    for number in range(len(now.messages) - len(messages), len(now.messages)):
        message = now.messages[number]
        event = MessageEvent(
            time=datetime.now(UTC),
            event="message",
            phone=keyspace.shown_name(key),
            key=keyspace.shown_key(key),
            role=model.encodable(message.role),
            text=model.encodable(message.summary),
            message=stored[number] if stored else None,
        )
        yield NewMessage(event, message)


def _stored(seen: _Snapshot) -> list[msgspec.Raw] | None:
    """Return the messages one by one as they are stored; None if they can't be told apart."""
    try:
        found = msgspec.json.decode(decode.text(seen.value or b""), type=_Raw).messages
    except (msgspec.DecodeError, RecursionError):
        return None
    return found if len(found) == len(seen.messages) else None
