"""Replies that have come whole, straight from hiredis: a pass over many keys reads thousands."""

from __future__ import annotations

from typing import Any

_NOTHING = object()
_PLAIN = frozenset((bytes, int, type(None)))


def next_reply(connection: Any) -> Any:
    """Return the next reply of redis-py's connection, as its `read_response` does.

    redis-py itself is asked only if there is something to wait for: it takes ten times as long.
    """
    # redis-py parses with hiredis if that is installed.
    reader = getattr(connection._parser, "_reader", None)
    reply = _NOTHING if reader is None else _come(reader)
    return connection.read_response(disconnect_on_error=False) if reply is _NOTHING else reply


def _come(reader: Any) -> Any:
    """Return the next reply if it has come whole, else _NOTHING; raises an error reply."""
    reply = reader.gets()
    kind = type(reply)
    if kind in _PLAIN or (kind is list and (not reply or type(reply[0]) in _PLAIN)):
        return reply
    # Saves 0.1 s where no Redis is asked.
    from redis.exceptions import ConnectionError as Lost

    if isinstance(reply, Exception):
        raise reply
    if isinstance(reply, list):
        if reply and isinstance(reply[0], Lost):
            raise reply[0]
        # A subclass is a message that nobody has asked for.
        return reply if kind is list else _NOTHING
    # hiredis returns a bare object if nothing has come whole.
    return _NOTHING if kind is object else reply
