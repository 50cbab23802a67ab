"""Results for sessions of any application, whose values are not looked into. Pure."""

from typing import Any

import msgspec

from pawsctl.sessions.contract import decode, keys, model, raw_value, rules
from pawsctl.sessions.contract.model import Columns, Record
from pawsctl.sessions.contract.raw_value import Encoding
from pawsctl.sessions.contract.rules import Checks
from pawsctl.sessions.query.rows import Conversation, Item, Listed


class RawItem(Item, frozen=True, gc=False):
    """One session in a list; `phone` is its id. What only conversations have is None."""

    type: str


class RawListed(Listed, frozen=True, gc=False):
    """An item with the beginning of its value, None for a key that holds no string."""

    preview: str | None = None

    @property
    def last_message(self) -> str | None:
        """The beginning of the value on one line."""
        return self.preview


class RawStored(msgspec.Struct, frozen=True, omit_defaults=True):
    """One whole session. `session` is the value: JSON as stored, a text, or hex digits.

    `encoding` says which; both are None for a key that holds no string.
    """

    phone: str
    key: str
    ttl: int | None
    session: Any
    type: str | None = None
    encoding: Encoding | None = None
    problem: str | None = None


def listed(record: Record, now_ms: float, using: Checks) -> RawListed:
    """Sum up a record, as `rows.listed` does for conversations."""
    problem = next(rules.problems(record, rules.read(record, using.keyspace), now_ms, using), None)
    item = RawItem(
        phone=using.keyspace.name_of(record.key),
        key=keys.key_text(record.key),
        ttl=record.ttl,
        status=None,
        messages=None,
        updated_at=None,
        bytes=len(record.value) if record.value is not None else None,
        problem=model.encodable(str(problem)) if problem else None,
        type=record.type,
    )
    preview = None if record.value is None else raw_value.preview(record.value)
    return RawListed(item, preview=preview)


def all_listed(found: Columns, now_ms: float, using: Checks) -> list[Listed]:
    """Sum up sessions, as `many_rows.all_listed` does for conversations."""
    return [listed(record, now_ms, using) for record in found.records]


def stored(found: Conversation) -> RawStored:
    """Return a session in the form for scripts."""
    name, record = keys.key_text(found.key), found.record
    if record is None:
        return RawStored(found.phone, name, None, None)
    problem = str(found.problems[0]) if found.problems else None
    if record.value is None:
        return RawStored(found.phone, name, record.ttl, None, record.type, None, problem)
    value = raw_value.readable(record.value)
    session: Any = value.text
    if value.encoding == "json":
        session = msgspec.Raw(decode.text(record.value).strip().encode())
    return RawStored(found.phone, name, record.ttl, session, record.type, value.encoding, problem)
