"""Replace a value only if it is still the one that was read; keep its TTL.

WATCH and MULTI on one socket to the key's own primary need no script, and are allowed by every
server that has transactions. WATCH sees each change until EXEC, also one that leaves the same
bytes, and SET's XX brings no key back that has expired or was deleted in between.
"""

import time
from enum import Enum
from typing import Any

from pawsctl.connection.base import POLL_SECONDS, Connection, uncertain
from pawsctl.connection.cluster.redirects import REDIRECTS
from pawsctl.connection.commands import Command, Queued
from pawsctl.connection.node import Node
from pawsctl.connection.replies import ErrorReply, Misread, has_code, is_in_doubt, raise_for_error
from pawsctl.errors import LoginRefused, OperationFailed, PawsctlError, RedisUnreachable


class Swap(Enum):
    """The end of a try: the value is replaced, or was another one, or the key is gone."""

    DONE = "done"
    CHANGED = "changed"
    GONE = "gone"


class _InDoubt(Exception):
    """The socket was lost before the reply to EXEC."""

    def __init__(self, write: Command) -> None:
        super().__init__()
        self.write = write


def compare_and_set(connection: Connection, key: bytes, expected: bytes, value: bytes) -> Swap:
    """Replace `expected` under a key by `value`, to be the same until the same millisecond.

    Follows redirects and failovers. After a lost reply it looks at what is stored. Raises
    RedisUnreachable, Uncertain if the write may have been done and no one can look, OperationFailed
    if Redis refuses.
    """
    until = time.monotonic() + connection.timeouts.failover
    keeps_ttl = True
    found: Swap | ErrorReply | None
    while True:
        try:
            found = _tried(connection, key, expected, value, keeps_ttl=keeps_ttl)
        except _InDoubt as doubt:
            found = _looked(connection, key, expected, value, doubt)
        except LoginRefused:
            raise
        except RedisUnreachable:
            # No write was sent.
            if time.monotonic() > until or not _has_others(connection):
                raise
            found = None
        if isinstance(found, Swap):
            return found
        if keeps_ttl and isinstance(found, ErrorReply) and "syntax error" in found.text:
            # A server before 6.0; it has done nothing.
            keeps_ttl = False
            continue
        if found is not None:
            _require_passing(connection, found, is_late=time.monotonic() > until)
        time.sleep(POLL_SECONDS)
        # Finds the primary that there is now, or raises.
        connection.call("TYPE", key)


def _tried(
    connection: Connection, key: bytes, expected: bytes, value: bytes, *, keeps_ttl: bool
) -> Swap | ErrorReply:
    """Try once; return the outcome, or an error reply after which nothing was done.

    Raises _InDoubt if the write may have been done, RedisUnreachable if it was not sent.
    """
    node = connection.owner(key)
    node.connect()
    look: list[Command] = [("WATCH", key), ("GET", key)]
    if not keeps_ttl:
        look += [("PTTL", key), ("TIME",)]
    # From here on not through `pipeline`, which would reconnect and so lose the WATCH.
    replies = _exchanged(node, look)
    if has_code(replies[1], "WRONGTYPE"):
        return _unwatched(node, Swap.CHANGED)
    if failed := next((each for each in replies if isinstance(each, ErrorReply)), None):
        return failed
    if replies[1] != expected:
        return _unwatched(node, Swap.GONE if replies[1] is None else Swap.CHANGED)
    write = Queued((b"SET", key, value, b"XX", *([b"KEEPTTL"] if keeps_ttl else [])))
    block: list[Command] = [("MULTI",), write]
    if not keeps_ttl and replies[2] >= 0:
        seconds, microseconds = replies[3]
        end = int(seconds) * 1000 + int(microseconds) // 1000 + replies[2]
        block.append(Queued((b"PEXPIREAT", key, end)))
    try:
        *queued, executed = _exchanged(node, [*block, ("EXEC",)])
    except RedisUnreachable as error:
        raise _InDoubt(write) from error
    return _outcome(connection, write, queued, executed)


def _outcome(
    connection: Connection, write: Command, queued: list[Any], executed: Any
) -> Swap | ErrorReply:
    from pawsctl.connection.sdk_errors import error_reply

    # If a command was refused, that is the reason for EXEC's EXECABORT.
    refusals = [each for each in (*queued, executed) if isinstance(each, ErrorReply)]
    if isinstance(executed, list) and executed:
        refusals += [error_reply(each) for each in executed[:1] if isinstance(each, Exception)]
    if any(isinstance(each, Misread) or is_in_doubt(each) for each in refusals):
        raise _InDoubt(write)
    done = None if refusals or not executed else executed[0]
    connection.ledger.settle(write, done)
    if refusals:
        return refusals[0]
    if executed is None:
        return Swap.CHANGED
    return Swap.GONE if done is None else Swap.DONE


def _exchanged(node: Node, commands: list[Command]) -> list[Any]:
    node.send(commands)
    return node.receive(len(commands))


def _unwatched(node: Node, found: Swap) -> Swap:
    _exchanged(node, [("UNWATCH",)])
    return found


def _looked(
    connection: Connection, key: bytes, expected: bytes, value: bytes, doubt: _InDoubt
) -> Swap | None:
    """Return the outcome by what is stored now; None if it can be tried again."""
    lost = doubt.__cause__
    try:
        stored = connection.call("GET", key)
    except PawsctlError as error:
        cause = lost if isinstance(lost, RedisUnreachable) else error
        if isinstance(cause, RedisUnreachable):
            raise uncertain(cause, [doubt.write]) or cause from error
        raise
    done = stored == value
    connection.ledger.settle(doubt.write, b"OK" if done else None)
    if done:
        return Swap.DONE
    if stored == expected:
        return None
    return Swap.GONE if stored is None else Swap.CHANGED


def _require_passing(connection: Connection, reply: ErrorReply, *, is_late: bool) -> None:
    """Return if a refusal passes when the primary is found; raise OperationFailed for others."""
    if has_code(reply, *REDIRECTS) and not is_late and _has_others(connection):
        if connection.follows_failovers:
            # The Sentinels are asked again who the primary is.
            connection.close()
        return
    if reply.code == "NOPERM" or "unknown command" in reply.text.lower():
        raise OperationFailed(
            f"Redis refused: {str(reply).rstrip('.')}.",
            hint="A session is changed only if the bot does not change it at the same time: that "
            "needs +watch +unwatch +multi +exec.",
        )
    raise_for_error(reply)


def _has_others(connection: Connection) -> bool:
    """Return whether another server can take the primary's place."""
    return connection.follows_failovers or connection.resolved().is_cluster
