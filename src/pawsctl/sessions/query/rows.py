"""Results for lists and single sessions, on whose fields scripts rely. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from pawsctl import durations
from pawsctl.escaping import printable
from pawsctl.sessions.contract import decode, keys, model, quick_check, rules
from pawsctl.sessions.contract.decode import BotMessage, BotSession, TextBlock, UserMessage
from pawsctl.sessions.contract.model import Message, Problem, Record, Session
from pawsctl.sessions.contract.rules import Checks


class Item(msgspec.Struct, frozen=True, gc=False):
    """One session in a list. `ttl` is in seconds, -1 for never; `bytes` is the value's size."""

    phone: str
    key: str
    ttl: int
    status: str | None
    messages: int | None
    updated_at: datetime | None
    bytes: int | None
    problem: str | None


class Listed(msgspec.Struct, frozen=True, gc=False):
    """An item with the last message of the session that it sums up, None if there is none.

    `session` is there only where something else looks at it.
    """

    item: Item
    last: Message | None = None
    session: Session | None = None

    @property
    def last_message(self) -> str | None:
        """The last message on one line, tool traffic in brackets; None if there is none."""
        if self.last is None:
            return None
        words = self.last.summary
        # Of the blanks between words, only the usual one is printable; and no lone surrogate is.
        if words.isprintable() and "  " not in words and words.strip(" ") == words:
            return words
        return model.encodable(" ".join(words.split()))

    @property
    def is_waiting(self) -> bool:
        """Whether the customer waits for an answer."""
        return self.last is not None and self.last.wants_answer

    @property
    def waiting_since(self) -> datetime | None:
        """The last update of a session in which the customer waits for an answer, else None."""
        return self.item.updated_at if self.is_waiting else None


def last_messages(rows: Sequence[Listed]) -> Sequence[str | None]:
    """Return the `last_message` of each row; of conversations, Printable texts if all are."""
    texts: list[str] = []
    for row in rows:
        last = row.last
        if last is None:
            break
        # As `summary`, whose call takes longer than all else; a branch for each class, since Python
        # reads a field quickly where it always is of one class.
        if type(last) is UserMessage:
            words = last.content
            if words[:2] == "__":
                words = last.summary
        elif (
            type(last) is BotMessage
            and len(content := last.content) == 1
            and type(block := content[0]) is TextBlock
        ):
            words = block.text
        else:
            words = last.summary
        texts.append(words)
    else:
        # As in `last_message`.
        found = printable(texts)
        if found and b"  " not in found.joined and list(map(str.strip, texts)) == texts:
            return found
    return [row.last_message for row in rows]


class Stored(msgspec.Struct, frozen=True, omit_defaults=True):
    """One whole session. `session` is the value as stored, None if it can't be read.

    `ttl` is in seconds, -1 for never, None if there is no such session.
    """

    phone: str
    key: str
    ttl: int | None
    session: msgspec.Raw | None
    problem: str | None = None


class TimeLeft(msgspec.Struct, frozen=True):
    """A session's `ttl` in seconds, -1 for never, None if there is no such session."""

    phone: str
    key: str
    ttl: int | None


class Conversation(msgspec.Struct, frozen=True):
    """A decoded session for a person to read, with its problems.

    `record` is None if nothing is stored under the key. `notes` are findings that are no problem.
    """

    phone: str
    key: bytes
    record: Record | None
    session: Session | None = None
    problems: Sequence[Problem] = ()
    notes: Sequence[Problem] = ()

    @property
    def stored(self) -> Stored:
        """The session in the form for scripts."""
        name = keys.key_text(self.key)
        if self.record is None:
            return Stored(self.phone, name, None, None)
        raw = None
        if self.session is not None and self.record.value is not None:
            # Decoded as the bot does it, if it is no UTF-8.
            raw = msgspec.Raw(decode.text(self.record.value).strip().encode())
        problem = model.encodable(str(self.problems[0])) if self.problems else None
        return Stored(self.phone, name, self.record.ttl, raw, problem)


def sound_session(record: Record, now_ms: float, using: Checks) -> BotSession | None:
    """Return the session of a record if it breaks no rule and is as the bot writes it today."""
    if record.value is None:
        return None
    try:
        session = decode.read_as_bot(record.value)
    except decode.UNLIKE_BOT:
        return None
    # As nearly all: it saves a call for each of a million.
    stored = (record.key, record.ttl_ms, record.value)
    if not using.slow and quick_check.is_clean(stored, session, now_ms, using.limits):
        return session
    return session if rules.is_sound(record, session, now_ms, using) else None


def listed(record: Record, now_ms: float, using: Checks | None = None) -> Listed:
    """Sum up a record; `now_ms` is the time now in milliseconds since the epoch.

    `using` are the checks of its keyspace, the bot's if None; a pass over many makes them once.
    """
    using = using or rules.checks()
    session, value = sound_session(record, now_ms, using), record.value
    if session is None or value is None:
        return _listed_with_care(record, now_ms, using)
    # A sound session has a key that is UTF-8 and a date that exists.
    key = record.key.decode()
    return row_of(
        Item(
            key[using.begin :],
            key,
            durations.whole_seconds(record.ttl_ms),
            session.status,
            len(session.messages),
            datetime.fromtimestamp(session.updated_at / 1000, UTC),
            len(value),
            None,
        ),
        session,
    )


def row_of(item: Item, session: Session | None) -> Listed:
    """Return the row of an item and the session that it sums up, which is kept."""
    last = session.messages[-1] if session is not None and session.messages else None
    return Listed(item, last, session)


def _listed_with_care(record: Record, now_ms: float, using: Checks) -> Listed:
    reading = rules.read(record)
    session = reading.session
    problem = next(rules.problems(record, reading, now_ms, using), None)
    item = Item(
        phone=using.keyspace.name_of(record.key),
        key=keys.key_text(record.key),
        ttl=record.ttl,
        status=model.encodable(session.status) if session else None,
        messages=len(session.messages) if session else None,
        updated_at=model.as_time(session.updated_at) if session else None,
        bytes=len(record.value) if record.value is not None else None,
        problem=model.encodable(str(problem)) if problem else None,
    )
    return row_of(item, session)


def conversation(
    key: bytes, record: Record | None, now_ms: float, using: Checks | None = None
) -> Conversation:
    """Decode a record and check it; `now_ms` and `using` are as for `listed`."""
    using = using or rules.checks()
    space = using.keyspace
    phone, shown_key = space.shown_name(key), key
    if space.mask is not None:
        shown_key = space.shown_key(key).encode()
    if record is None:
        return Conversation(phone, shown_key, None)
    reading = rules.read(record, space)
    found = list(rules.findings(record, reading, now_ms, using))
    if space.mask is not None:
        found = [Problem(each.rule, space.shown_clause(each.message)) for each in found]
        record = space.shown_record(record)
        reading = rules.read(record, space)
    problems = [each for each in found if rules.level(each) == "problem"]
    notes = [each for each in found if each not in problems]
    return Conversation(phone, shown_key, record, reading.session, problems, notes)
