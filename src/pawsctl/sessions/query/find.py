"""The operations of `session list`, `get` and `ttl`; they return results and print nothing."""

import time
from collections.abc import Iterator, Sequence

from pawsctl import durations
from pawsctl.errors import NoSession, OperationFailed
from pawsctl.sessions.contract import keys
from pawsctl.sessions.query import rows, sorting
from pawsctl.sessions.query.filters import Filter
from pawsctl.sessions.query.rows import Conversation, Listed, TimeLeft, all_listed
from pawsctl.sessions.query.sorting import Order
from pawsctl.sessions.store.reader import SessionReader


def list_all(
    store: SessionReader, wanted: Filter | None = None, order: Order | None = None
) -> Iterator[Listed]:
    """Yield the sessions that match a filter, summed up, in the given order."""
    wanted, order = wanted or Filter(), order or Order()
    now_ms = time.time() * 1000
    rows = all_listed(store.records(wanted.pattern), now_ms)
    # An unfiltered list of a million is quicker without a check of each.
    found = (row for row in rows if wanted.matches(row, now_ms)) if wanted.reads_values else rows
    return sorting.ordered(found, order)


def conversations(store: SessionReader, names: Sequence[bytes]) -> list[Conversation]:
    """Return the sessions under the keys, in the same order; `record` is None if there is none."""
    now_ms = time.time() * 1000
    records = store.records_of(names)
    return [
        rows.conversation(key, record, now_ms) for key, record in zip(names, records, strict=True)
    ]


def raw_value(found: Conversation) -> bytes:
    """Return the stored bytes; empty if there is no session.

    Raises OperationFailed for a key that holds another type.
    """
    if found.record is None:
        return b""
    if found.record.value is None:
        raise OperationFailed(
            f"{keys.key_text(found.key)} holds a {found.record.type}, not a string.",
            hint="Look at it with 'pawsctl redis cli' or redis-cli.",
        )
    return found.record.value


def require_found(found: Sequence[Conversation]) -> None:
    """Raise NoSession if one of them does not exist."""
    if missing := [each.phone for each in found if each.record is None]:
        raise NoSession.of(missing)


def times_left(store: SessionReader, names: Sequence[bytes]) -> list[TimeLeft]:
    """Return the TTL of each key, in whole seconds."""
    return [
        TimeLeft(
            phone=keys.phone_of(key),
            key=keys.key_text(key),
            ttl=None if ttl_ms is None else durations.whole_seconds(ttl_ms),
        )
        for key, ttl_ms in zip(names, store.ttls(names), strict=True)
    ]


def require_all(found: Sequence[TimeLeft]) -> None:
    """Raise NoSession if one of them does not exist."""
    if missing := [each.phone for each in found if each.ttl is None]:
        raise NoSession.of(missing)
