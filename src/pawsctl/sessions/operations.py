"""What the session commands do: each takes a store and returns frozen results, printing nothing."""

import time
from collections.abc import Callable, Iterator, Sequence

import msgspec

from pawsctl.errors import Interrupted, NoSession, OperationFailed, PawsctlError
from pawsctl.sessions import keys, listing, ordering, scan
from pawsctl.sessions.filters import Filter
from pawsctl.sessions.listing import Conversation, Listed, TimeLeft
from pawsctl.sessions.ordering import Order
from pawsctl.sessions.stats import Expiry, ExpiryCounter
from pawsctl.sessions.store import SessionStore

SEEN = keys.SEEN_PREFIX.encode() + b"*"


class FlushPlan(msgspec.Struct, frozen=True):
    """What a flush would delete. `others` are keys of another type under the prefix, by type."""

    url: str
    origin: str
    sessions: int
    others: dict[str, int]
    seen: int

    @property
    def total(self) -> int:
        """All keys together."""
        return self.sessions + sum(self.others.values()) + self.seen


class Flushed(msgspec.Struct, frozen=True):
    """How many keys a flush deleted, and from where."""

    url: str
    deleted: int


def list_all(
    store: SessionStore, wanted: Filter | None = None, order: Order | None = None
) -> Iterator[Listed]:
    """The sessions that a filter lets through, summed up, in that order."""
    wanted, order = wanted or Filter(), order or Order()
    now_ms = time.time() * 1000
    rows = (listing.listed(record, now_ms) for record in store.records(wanted.pattern))
    # An unfiltered list of a million does not pay for asking each.
    found = (row for row in rows if wanted.matches(row, now_ms)) if wanted.reads_values else rows
    return ordering.ordered(found, order)


def conversations(store: SessionStore, names: Sequence[bytes]) -> list[Conversation]:
    """The sessions under those keys, in that order; one that does not exist has no record."""
    now_ms = time.time() * 1000
    return [listing.conversation(key, store.record(key), now_ms) for key in names]


def raw_value(found: Conversation) -> bytes:
    """The stored bytes, none where there is no session.

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
    """Raises NoSession where one of them does not exist."""
    if missing := [each.phone for each in found if each.record is None]:
        raise _no_session(missing)


def times_left(store: SessionStore, names: Sequence[bytes]) -> list[TimeLeft]:
    """The time left for each key."""
    return [
        TimeLeft(
            phone=keys.phone_of(key),
            key=keys.key_text(key),
            ttl=ttl_ms if ttl_ms is None or ttl_ms < 0 else (ttl_ms + 500) // 1000,
        )
        for key, ttl_ms in zip(names, store.ttls(names), strict=True)
    ]


def require_all(found: Sequence[TimeLeft]) -> None:
    """Raises NoSession where one of them does not exist."""
    if missing := [each.phone for each in found if each.ttl is None]:
        raise _no_session(missing)


def _no_session(phones: Sequence[str]) -> NoSession:
    return NoSession(
        f"No session is stored for {', '.join(phones)}.",
        hint="It may have expired; 'pawsctl session list' shows those there are.",
    )


def expiry_of(found: Sequence[TimeLeft]) -> Expiry:
    """When those sessions expire."""
    counter = ExpiryCounter()
    for each in found:
        if each.ttl is not None:
            counter.add(each.ttl if each.ttl < 0 else each.ttl * 1000)
    return counter.result()


def expiry(store: SessionStore) -> Expiry:
    """When all sessions expire, from their TTLs alone."""
    counter = ExpiryCounter()
    for ttl_ms in store.all_ttls():
        counter.add(ttl_ms)
    return counter.result()


def require_sound(found: Expiry) -> None:
    """Raises OperationFailed where a session never expires or lives longer than six hours."""
    if not found.is_sound:
        raise OperationFailed(
            f"{found.never} sessions never expire and {found.over_6h} live longer than 6 h.",
            hint="'pawsctl session list' shows which; the bot mends the TTL when it next saves.",
        )


def plan_flush(store: SessionStore, *, include_seen: bool) -> FlushPlan:
    """Count what a flush would delete."""
    counts = store.count()
    return FlushPlan(
        url=store.node.target.url,
        origin=store.node.target.origin,
        sessions=counts.pop("string", 0),
        others=counts,
        seen=sum(store.count(SEEN).values()) if include_seen else 0,
    )


def flush(store: SessionStore, *, include_seen: bool, progress: Callable[[int], None]) -> Flushed:
    """Delete every session (and seen mark), telling `progress` of each batch.

    Raises Interrupted on Ctrl-C, saying how far it got, as every other failure here does.
    """
    deleted = 0
    try:
        for pattern in (scan.SESSIONS, SEEN) if include_seen else (scan.SESSIONS,):
            for count in store.unlink(pattern):
                deleted += count
                progress(count)
    except KeyboardInterrupt as error:
        raise Interrupted(
            f"Interrupted: {deleted} keys were deleted.", hint="Run it again for the rest."
        ) from error
    except PawsctlError as error:
        raise type(error)(
            f"{error.message} {deleted} keys were deleted before that.", hint=error.hint
        ) from error
    return Flushed(store.node.target.url, deleted)
