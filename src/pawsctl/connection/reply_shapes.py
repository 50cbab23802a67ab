"""The shape of each command's reply, and the check that replies have it. Pure.

A reply of another shape becomes a Misread, an error reply that names the command, before any other
code sees it. Commands that are not in the table may have replies of any shape. Replies are checked
nowhere else.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from pawsctl.config.target import Address
from pawsctl.connection.cluster import slots
from pawsctl.connection.commands import SCRIPTED, Command, Queued, as_bytes, name_of
from pawsctl.connection.replies import ErrorReply, Misread

Fits = Callable[[Any, Command], bool]


class Shape(msgspec.Struct, frozen=True):
    """The shape of a reply: `words` for messages, and `fits`, which checks it."""

    words: str
    fits: Fits


def read(command: Command, reply: Any, *, came_otherwise: Callable[[bytes], bool]) -> Any:
    """Return the reply to a command unchanged, or a Misread if it has another shape.

    hiredis returns bytes for several types, and for a part of a value whose announced length is too
    small: `came_otherwise` tells whether given bytes were sent in such a way. It is called for
    values that do not look like a whole session.
    """
    shape = _QUEUED if type(command) is Queued else _SHAPES.get(command[0])
    if shape is None or isinstance(reply, ErrorReply):
        return reply
    fits = shape.fits(reply, command)
    if fits and shape is _VALUE and reply is not None:
        looks_whole = reply[:1] == b"{" and reply[-1:] == b"}"
        fits = looks_whole or not came_otherwise(reply)
    return reply if fits else Misread(words_of(command), reply, shape.words)


def words_of(command: Command) -> str:
    """Return the command's name for messages, with its subcommand if it has one."""
    name = name_of(command)
    parts = command[:2] if name in _WITH_SUBCOMMAND and len(command) > 1 else command[:1]
    return " ".join(as_bytes(part).decode("utf-8", "replace") for part in parts)


_WITH_SUBCOMMAND = frozenset((b"CLIENT", b"CLUSTER", b"CONFIG", b"INFO", b"MEMORY", b"SENTINEL"))
_INTEGERS, _BYTES, _VALUES = frozenset((int,)), frozenset((bytes,)), {bytes, type(None)}


def _is_number(reply: Any) -> bool:
    return type(reply) is int or (type(reply) is bytes and reply.isdigit())


def _milliseconds(reply: Any, _command: Command) -> bool:
    return type(reply) is int and reply >= -2


def _flag(reply: Any, _command: Command) -> bool:
    return type(reply) is int and 0 <= reply <= 1


def _count(reply: Any, _command: Command) -> bool:
    return type(reply) is int and reply >= 0


def _key_count(reply: Any, command: Command) -> bool:
    return type(reply) is int and 0 <= reply < len(command)


def _value(reply: Any, _command: Command) -> bool:
    return reply is None or type(reply) is bytes


def _values(reply: Any, command: Command) -> bool:
    return (
        type(reply) is list and len(reply) == len(command) - 1 and set(map(type, reply)) <= _VALUES
    )


def _text(reply: Any, _command: Command) -> bool:
    return type(reply) is bytes


def _kind(reply: Any, _command: Command) -> bool:
    return type(reply) is bytes and reply[:1].isalpha()


def _is_ok(reply: Any, _command: Command) -> bool:
    return bool(reply == b"OK")


def _queued(reply: Any, _command: Command) -> bool:
    return bool(reply == b"QUEUED")


def _executed(reply: Any, _command: Command) -> bool:
    return reply is None or type(reply) is list


def _set(reply: Any, command: Command) -> bool:
    # With NX or XX, nothing may have been set.
    return bool(reply == b"OK") or (reply is None and len(command) > 3)


def _pong(reply: Any, command: Command) -> bool:
    return bool(reply == (b"PONG" if len(command) == 1 else as_bytes(command[1])))


def _step(reply: Any, _command: Command) -> bool:
    return (
        _list_of(reply, 2)
        and _is_number(reply[0])
        and type(reply[1]) is list
        and set(map(type, reply[1])) <= _BYTES
    )


def _moment(reply: Any, _command: Command) -> bool:
    return _list_of(reply, 2) and all(map(_is_number, reply))


def _role(reply: Any, _command: Command) -> bool:
    if type(reply) is not list or not reply or type(reply[0]) is not bytes:
        return False
    if reply[0] == b"sentinel":
        return len(reply) > 1 and type(reply[1]) is list and set(map(type, reply[1])) <= _BYTES
    return reply[0] != b"slave" or (len(reply) >= 4 and type(reply[3]) is bytes)


def _script(reply: Any, command: Command) -> bool:
    told = SCRIPTED.get(as_bytes(command[1]))
    if int(command[2]):
        # A script that changes its keys returns how many it has changed, OK, or nothing.
        return reply is None or type(reply) is int or bool(reply == b"OK")
    if told is None:
        return True
    if type(reply) is not list or len(reply) != len(command) - 3:
        return False
    types = set(map(type, reply))
    if told == b"PTTL":
        return types <= _INTEGERS and (not reply or min(reply) >= -2)
    if told == b"TYPE":
        return all(_kind(each, command) for each in reply)
    return types <= _VALUES


def _memory(reply: Any, command: Command) -> bool:
    if as_bytes(command[1]).upper() != b"USAGE":
        return True
    return reply is None or _count(reply, command)


def _config(reply: Any, command: Command) -> bool:
    if as_bytes(command[1]).upper() != b"GET":
        return bool(reply == b"OK")
    return _is_table(reply)


def _cluster(reply: Any, command: Command) -> bool:
    what = as_bytes(command[1]).upper()
    if what == b"GETKEYSINSLOT":
        return type(reply) is list and set(map(type, reply)) <= _BYTES
    try:
        if what == b"NODES":
            return any("myself" in each.flags for each in slots.members(reply, Address("", 0)))
        if what == b"SLOTS":
            slots.shards(reply, Address("", 0))
            return type(reply) is list
    except (AttributeError, LookupError, TypeError, ValueError):
        return False
    return True


def _sentinel(reply: Any, command: Command) -> bool:
    what = as_bytes(command[1]).upper()
    if what == b"GET-MASTER-ADDR-BY-NAME":
        if reply is None:
            return True
        return _list_of(reply, 2) and type(reply[0]) is bytes and _is_port(reply[1])
    if what == b"MASTERS":
        return _are_tables(reply, b"name")
    if what in (b"REPLICAS", b"SLAVES"):
        return _are_tables(reply, b"flags", b"ip", b"port")
    if what == b"SENTINELS":
        return _are_tables(reply, b"ip", b"port")
    return True


def _are_tables(reply: Any, *names: bytes) -> bool:
    return type(reply) is list and all(
        _is_table(row)
        and set(names) <= set(row[::2])
        and (b"port" not in names or _is_port(row[row.index(b"port") + 1]))
        for row in reply
    )


def _is_table(reply: Any) -> bool:
    return type(reply) is list and len(reply) % 2 == 0 and set(map(type, reply)) <= _BYTES


def _is_port(text: Any) -> bool:
    return type(text) is bytes and text.isdigit() and int(text) <= 65_535


def _list_of(reply: Any, count: int) -> bool:
    return type(reply) is list and len(reply) == count


_INTEGER = "an integer"
_TTL = Shape(_INTEGER, _milliseconds)
_DONE = Shape("0 or 1", _flag)
_KEYS = Shape("a number of keys", _key_count)
_OK = Shape("OK", _is_ok)
_VALUE = Shape("a value", _value)
_QUEUED = Shape("QUEUED", _queued)

# Names are both text and bytes, so that none is converted for each of many replies.
_SHAPES: dict[Any, Shape] = {
    name: shape
    for shape, names in (
        (_TTL, "PTTL TTL"),
        (_DONE, "EXPIRE EXPIREAT PEXPIRE PEXPIREAT PERSIST"),
        (_KEYS, "DEL EXISTS TOUCH UNLINK"),
        (Shape(_INTEGER, _count), "DBSIZE STRLEN"),
        (_VALUE, "GET DUMP"),
        (Shape("a value for each key", _values), "MGET"),
        (Shape("text", _text), "INFO"),
        (Shape("a type", _kind), "TYPE"),
        (_OK, "SETEX PSETEX RESTORE SELECT FLUSHDB WATCH DISCARD MULTI"),
        (Shape("a reply for each command", _executed), "EXEC"),
        (Shape("OK", _set), "SET"),
        (Shape("PONG", _pong), "PING"),
        (Shape("a cursor and keys", _step), "SCAN"),
        (Shape("seconds and microseconds", _moment), "TIME"),
        (Shape("a role", _role), "ROLE"),
        (Shape("an answer for each key", _script), "EVAL"),
        (Shape("a number of bytes", _memory), "MEMORY"),
        (Shape("settings or OK", _config), "CONFIG"),
        (Shape("nodes, slots or keys", _cluster), "CLUSTER"),
        (Shape("names and addresses", _sentinel), "SENTINEL"),
    )
    for each in names.split()
    for name in (each, each.encode())
}
