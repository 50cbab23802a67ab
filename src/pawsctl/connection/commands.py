"""Tables of Redis commands: keys, reads and writes, parts. Pure; unlisted ones are refused."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from pawsctl.connection.replies import ErrorReply, PartlyRefused, has_code, is_about_a_key
from pawsctl.errors import OperationFailed

Command = Sequence[bytes | str | int]

_WITHOUT_KEY = frozenset(
    b"ACL ASKING AUTH BGREWRITEAOF BGSAVE CLIENT CLUSTER COMMAND CONFIG DBSIZE DEBUG DISCARD ECHO "
    b"EXEC FAILOVER FLUSHALL FLUSHDB HELLO INFO LASTSAVE LATENCY MODULE MONITOR MULTI PING PUBLISH "
    b"QUIT RANDOMKEY READONLY READWRITE REPLICAOF ROLE SAVE SCAN SCRIPT SELECT SENTINEL SHUTDOWN "
    b"SLAVEOF SLOWLOG SWAPDB TIME UNWATCH WAIT WAITAOF".split()
)
_WITH_KEY_FIRST = frozenset(
    b"APPEND COPY DECR DECRBY DEL DUMP EXISTS EXPIRE EXPIREAT EXPIRETIME GET GETDEL GETEX GETRANGE "
    b"GETSET HDEL HEXISTS HGET HGETALL HKEYS HLEN HMGET HSCAN HSET HVALS INCR INCRBY LINDEX LLEN "
    b"LPOP LPUSH LRANGE LTRIM MGET MSET PERSIST PEXPIRE PEXPIREAT PEXPIRETIME PSETEX PTTL RENAME "
    b"RENAMENX RESTORE RPOP RPUSH SADD SCARD SET SETEX SETNX SETRANGE SISMEMBER SMEMBERS SREM "
    b"SSCAN STRLEN TOUCH TTL TYPE UNLINK WATCH XADD XLEN XRANGE ZADD ZCARD ZRANGE ZREM "
    b"ZSCAN ZSCORE".split()
)
_WITH_KEY_SECOND = frozenset((b"MEMORY", b"OBJECT"))
_READS = frozenset(
    b"CLIENT CLUSTER COMMAND DBSIZE DUMP ECHO EXISTS EXPIRETIME GET GETRANGE HELLO INFO LASTSAVE "
    b"MEMORY MGET OBJECT PEXPIRETIME PING PTTL ROLE SCAN SENTINEL STRLEN TIME TTL TYPE".split()
)
# As they are nearly always written.
PLAIN_READS = frozenset((*_READS, *(name.decode() for name in _READS)))
# A cluster takes these for keys of one slot only; the replies for single keys can be added up.
_COUNTS = frozenset((b"DEL", b"EXISTS", b"TOUCH", b"UNLINK"))
_SCRIPTS = frozenset((b"EVAL", b"EVALSHA", b"EVAL_RO", b"EVALSHA_RO"))
_KNOWN = _WITHOUT_KEY | _WITH_KEY_FIRST | _WITH_KEY_SECOND | _SCRIPTS


class Queued(tuple[bytes | str | int, ...]):
    """A command between MULTI and EXEC: it is answered with QUEUED, and EXEC has its reply."""

    __slots__ = ()


def as_bytes(part: bytes | str | int) -> bytes:
    """Return a part of a command as the bytes that are sent."""
    return part if isinstance(part, bytes) else str(part).encode("utf-8", "surrogateescape")


def without_numbers(command: Command) -> tuple[bytes | str, ...]:
    """Return the parts of a command, numbers as bytes.

    hiredis takes numbers too, and the process crashes at a Ctrl-C while it writes one: it uses the
    text without a look whether there is one.
    """
    try:
        # Of bytes alone, as the commands for many keys are: found in a third of the time.
        b"".join(command)  # type: ignore[arg-type]
    except TypeError:
        command = [b"%d" % part if type(part) is int else part for part in command]
    return tuple(command)  # type: ignore[arg-type]


def name_of(command: Command) -> bytes:
    """Return the command's name in upper case."""
    return _upper(command[0])


@lru_cache(maxsize=256)
def _upper(name: bytes | str | int) -> bytes:
    return as_bytes(name).upper()


def key_of(command: Command) -> bytes | None:
    """Return the (first) key of a command; None for a command that any server can answer.

    Raises OperationFailed for an unknown command: another argument would be taken for its key and
    choose the node, and whether it counts as a read or a write would be chance.
    """
    name = name_of(command)
    if name not in _KNOWN:
        raise OperationFailed(
            f"pawsctl does not know where in the command {name.decode(errors='replace')} its key "
            "stands, so it sends it to no node of a cluster.",
            hint="Send it with 'redis-cli -c'.",
        )
    if name in _WITHOUT_KEY:
        return None
    position = 1
    if name in _SCRIPTS:
        if not int(command[2]):
            return None
        position = 3
    elif name in _WITH_KEY_SECOND:
        position = 2
    return as_bytes(command[position]) if len(command) > position else None


def is_read(command: Command) -> bool:
    """Return whether the command is read-only and safe to retry.

    A script without keys is one of ours, and those only read.
    """
    name = name_of(command)
    return name in _READS or (name in _SCRIPTS and not int(command[2]))


def keys_changed_by(command: Command) -> Sequence[bytes | str | int]:
    """Return the keys that a command may change; none if it is read-only or has no key."""
    name = name_of(command)
    if name in _SCRIPTS:
        return command[3 : 3 + int(command[2])]
    if name in _READS or name == b"WATCH" or name not in _WITH_KEY_FIRST:
        return ()
    return command[1:] if name in _COUNTS else command[1:2]


def writes_in(commands: Sequence[Command]) -> str:
    """Return the names of the commands that write, for a message: `SETEX, DEL`."""
    names = dict.fromkeys(name_of(command).decode() for command in commands if not is_read(command))
    return ", ".join(names)


# The TTLs of many keys in one reply: parsing a reply for each key would cost more than all the rest
# of a pass. ARGV and not KEYS, since a cluster refuses keys of several slots.
_TTLS_SCRIPT = b"""\
local left = {}
for number, key in ipairs(ARGV) do left[number] = redis.call('PTTL', key) end
return left"""
_TYPES_SCRIPT = b"""\
local types = {}
for number, key in ipairs(ARGV) do types[number] = redis.call('TYPE', key).ok end
return types"""
_VALUES_SCRIPT = b"""\
local values = {}
for number, key in ipairs(ARGV) do
  local value = redis.pcall('GET', key)
  if type(value) == 'table' then
    if not string.find(value.err, 'WRONGTYPE', 1, true) then return value end
    value = false
  end
  values[number] = value
end
return values"""
SCRIPTED = {_TTLS_SCRIPT: b"PTTL", _TYPES_SCRIPT: b"TYPE", _VALUES_SCRIPT: b"GET"}
"""Our scripts, each with the command that it calls for every key; none writes."""


def ttls_of(keys: Iterable[bytes]) -> Command:
    """Return the command for the PTTL of each key in one reply, of any slots; needs scripts."""
    return (b"EVAL", _TTLS_SCRIPT, b"0", *keys)


def types_of(keys: Iterable[bytes]) -> Command:
    """Return the command for the TYPE of each key in one reply, of any slots; needs scripts."""
    return (b"EVAL", _TYPES_SCRIPT, b"0", *keys)


def parts_of(command: Command) -> list[Command]:
    """Return the command split into one command for each key; itself if it can't be split.

    For a cluster, where one command can't have keys of several slots.
    """
    name = name_of(command)
    if name == b"MGET":
        return [(b"GET", key) for key in command[1:]]
    if name in _COUNTS and len(command) > 2:
        return [(name, key) for key in command[1:]]
    if name == b"EVAL" and command[1] in SCRIPTED and len(command) > 3:
        return [(SCRIPTED[as_bytes(command[1])], key) for key in command[3:]]
    return [command]


def is_many(command: Command) -> bool:
    """Return whether the command has several keys, so that a cluster may refuse it unsplit."""
    return parts_of(command) != [command]


def scripted(command: Command) -> Command:
    """Return a script for MGET, which the node that has all keys answers alike; else `command`."""
    if name_of(command) == b"MGET":
        return (b"EVAL", _VALUES_SCRIPT, b"0", *command[1:])
    return command


def joined(command: Command, replies: Sequence[Any]) -> Any:
    """Return the reply to a command from the replies to its parts; an error of one is the reply.

    The exception is a key that an ACL keeps from this user: its refusal stands in the list in its
    place, or, if replies are added up, the sum is a PartlyRefused.
    """
    if not is_many(command):
        return replies[0]
    if name_of(command) == b"MGET" or command[1] == _VALUES_SCRIPT:
        # MGET and its script return None for a key of another type.
        replies = [None if has_code(reply, "WRONGTYPE") else reply for reply in replies]
    failed = [reply for reply in replies if isinstance(reply, ErrorReply)]
    for reply in failed:
        if not is_about_a_key(reply):
            return reply
    if name_of(command) not in _COUNTS:
        return list(replies)
    done = sum(reply for reply in replies if not isinstance(reply, ErrorReply))
    return PartlyRefused(failed[0], done, len(failed)) if failed else done
