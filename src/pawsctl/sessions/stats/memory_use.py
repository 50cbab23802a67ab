"""The memory that sessions take on the server, and how many fit into it."""

from collections.abc import Sequence

import msgspec

from pawsctl.connection import ErrorReply, info_fields
from pawsctl.sessions.store.reader import SessionReader

DEFAULT_MAXMEMORY = 256 * 1024 * 1024
"""Bytes that this project gives its Redis; assumed if a server tells no limit."""

SAMPLE = 500
"""Sessions that are asked for their memory, at most."""


class MemoryUse(msgspec.Struct, frozen=True):
    """Bytes that a session takes, and the number of sessions that fit into `maxmemory` bytes.

    `per_session` is the mean of `sampled` sessions. `is_assumed` says that the server told no
    limit. `holds` is how many fit, `per_hour` how many may begin in an hour if each lives as
    long as the keyspace says, None if they need not expire.
    """

    per_session: int
    sampled: int
    maxmemory: int
    is_assumed: bool
    holds: int
    per_hour: int | None


class Footprint(msgspec.Struct, frozen=True):
    """The server's memory figures; those it does not tell are None, and `left_out` says why.

    `evicted_keys` and `expired_keys` count since the server started.
    """

    memory: MemoryUse | None
    evicted_keys: int | None
    expired_keys: int | None
    left_out: list[str]


def measure(store: SessionReader, sample: Sequence[bytes]) -> Footprint:
    """Ask the server for its memory figures, and for the memory of the `sample` keys."""
    left_out: list[str] = []
    fields = _info(store, left_out)
    per_session = _per_session(store, sample, left_out)
    memory = None
    if per_session:
        limit = _total(fields, "maxmemory")
        maxmemory = limit or DEFAULT_MAXMEMORY
        # The memory of an empty server is not available to sessions.
        room = max(0, maxmemory - (_total(fields, "used_memory_startup") or 0))
        mean = sum(per_session) / len(per_session)
        holds = int(room / mean)
        memory = MemoryUse(
            per_session=round(mean),
            sampled=len(per_session),
            maxmemory=maxmemory,
            is_assumed=not limit,
            holds=holds,
            per_hour=holds * 3_600 // store.keyspace.ttl if store.keyspace.ttl else None,
        )
    return Footprint(
        memory, _total(fields, "evicted_keys"), _total(fields, "expired_keys"), left_out
    )


def _info(store: SessionReader, left_out: list[str]) -> list[dict[str, str]]:
    """Return INFO's memory and stats sections of each primary; none if one does not tell."""
    found = []
    nodes, silent = store.connection.answering()
    if silent:
        left_out.append(
            f"maxmemory, evicted and expired keys: {', '.join(map(str, silent))} does not answer"
        )
        return []
    for node in nodes:
        # A section at a time: servers before 7.0 take only one.
        replies = node.pipeline([("INFO", "memory"), ("INFO", "stats")])
        for reply in replies:
            if isinstance(reply, ErrorReply):
                left_out.append(f"maxmemory, evicted and expired keys: INFO was refused ({reply})")
                return []
        found.append(info_fields(b"".join(replies)))
    return found


def _per_session(store: SessionReader, sample: Sequence[bytes], left_out: list[str]) -> list[int]:
    replies = store.connection.pipeline([("MEMORY", "USAGE", key) for key in sample])
    for reply in replies:
        if isinstance(reply, ErrorReply):
            left_out.append(f"memory per session: MEMORY USAGE was refused ({reply})")
            return []
    # The reply for a key that has expired meanwhile is None.
    return [reply for reply in replies if reply is not None]


def _total(fields: Sequence[dict[str, str]], name: str) -> int | None:
    """Return the sum of a field over all primaries; None if one does not tell it."""
    values = [each.get(name, "") for each in fields]
    if not values or not all(value.isdigit() for value in values):
        return None
    return sum(map(int, values))
