"""Replace a value only if it is still the one that was read; keep its TTL.

WATCH and MULTI on one socket to the key's own primary need no script, and are allowed by every
server that has transactions. WATCH sees each change until EXEC, also one that leaves the same
bytes, and SET's XX brings no key back that has expired or was deleted in between.
"""

import re
import time
from enum import Enum
from itertools import count
from typing import Any

from pawsctl.connection.base import POLL_SECONDS, Connection, uncertain
from pawsctl.connection.cluster.redirects import REDIRECTS
from pawsctl.connection.commands import Command, Queued
from pawsctl.connection.node import Node
from pawsctl.connection.replies import (
    ErrorReply,
    Misread,
    has_code,
    is_about_the_command,
    is_in_doubt,
    raise_for_error,
    refused,
)
from pawsctl.errors import HungUp, LoginRefused, OperationFailed, PawsctlError, RedisUnreachable

# Of tries whose outcome can't be told from the reply.
_MOST_TRIES = 3

_OF_PROXIES = (
    "A proxy such as twemproxy knows no transactions (WATCH, MULTI): then name the server itself."
)


_OF_TRANSACTIONS = re.compile(r"\b(watch|multi|exec|discard)\b", re.IGNORECASE)


class Swap(Enum):
    """The end of a try: the value is replaced, or was another one, or the key is gone."""

    DONE = "done"
    CHANGED = "changed"
    GONE = "gone"


class _InDoubt(Exception):
    """There is no reply to EXEC, or none that says what was done."""

    def __init__(self, write: Command, failure: PawsctlError) -> None:
        super().__init__()
        self.write = write
        self.failure = failure


def compare_and_set(connection: Connection, key: bytes, expected: bytes, value: bytes) -> Swap:
    """Replace `expected` under a key by `value`, to be the same until the same millisecond.

    Follows redirects and failovers. After a lost reply it looks at what is stored. Raises
    RedisUnreachable, Uncertain if the write may have been done and no one can look, OperationFailed
    if Redis refuses.
    """
    until = time.monotonic() + connection.timeouts.failover
    keeps_ttl = True
    found: Swap | ErrorReply | None
    for tries in count(1):
        try:
            found = _tried(connection, key, expected, value, keeps_ttl=keeps_ttl)
        except _InDoubt as doubt:
            found = _looked(connection, key, expected, value, doubt)
            if found is None and (tries == _MOST_TRIES or time.monotonic() > until):
                lost = doubt.__cause__
                raise (lost if isinstance(lost, RedisUnreachable) else doubt.failure) from doubt
        except LoginRefused:
            raise
        except RedisUnreachable as error:
            # No write was sent.
            if time.monotonic() > until or not has_others(connection):
                if isinstance(error, HungUp):
                    raise error.with_context(hint=_OF_PROXIES) from error
                raise
            found = None
        if isinstance(found, Swap):
            return found
        if keeps_ttl and isinstance(found, ErrorReply) and "syntax error" in found.text:
            # A server before 6.0; it has done nothing.
            keeps_ttl = False
            continue
        if found is not None:
            require_passing(connection, found, is_late=time.monotonic() > until)
        time.sleep(POLL_SECONDS)
        # Finds the primary that there is now, or raises.
        connection.call("TYPE", key)
    raise AssertionError("count does not end")


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
    # From here on not through `pipeline`, which would reconnect and so lose the WATCH. MULTI is
    # answered before anything else is sent: if it were refused, a SET behind it would be done.
    replies = exchanged(node, [*look, ("MULTI",)])
    stored, multi = replies[1], replies[-1]
    failed = next((each for each in replies if isinstance(each, ErrorReply)), None)
    if failed is not None or stored != expected:
        if not isinstance(multi, ErrorReply):
            discard(node)
        if failed is not None and not has_code(stored, "WRONGTYPE"):
            return failed
        return Swap.GONE if stored is None else Swap.CHANGED
    write = Queued((b"SET", key, value, b"XX", *([b"KEEPTTL"] if keeps_ttl else [])))
    block: list[Command] = [write]
    if not keeps_ttl and replies[2] >= 0:
        seconds, microseconds = replies[3]
        end = int(seconds) * 1000 + int(microseconds) // 1000 + replies[2]
        block.append(Queued((b"PEXPIREAT", key, end)))
    try:
        *queued, executed = exchanged(node, [*block, ("EXEC",)])
    except RedisUnreachable as error:
        raise _InDoubt(write, uncertain(error, [write]) or error) from error
    if isinstance(executed, ErrorReply):
        # If EXEC itself was refused, what is sent next would be queued.
        node.close()
    return _outcome(connection, write, queued, executed)


def _outcome(
    connection: Connection, write: Command, queued: list[Any], executed: Any
) -> Swap | ErrorReply:
    from pawsctl.connection.sdk_errors import error_reply

    # If a command was refused, that is the reason for EXEC's EXECABORT.
    refusals = [each for each in (*queued, executed) if isinstance(each, ErrorReply)]
    done = executed[0] if isinstance(executed, list) and executed else None
    if isinstance(done, Exception):
        refusals.append(error_reply(done))
        done = None
    unclear = [each for each in refusals if isinstance(each, Misread) or is_in_doubt(each)]
    if not unclear and not refusals and executed is not None:
        is_set = isinstance(executed, list) and len(executed) == len(queued)
        if not is_set or done not in (None, b"OK"):
            unclear = [Misread("EXEC", executed, "a reply for each command")]
    if unclear:
        raise _InDoubt(write, refused(unclear[0]))
    connection.ledger.settle(write, done)
    if refusals:
        return refusals[0]
    if executed is None:
        return Swap.CHANGED
    return Swap.GONE if done is None else Swap.DONE


def exchanged(node: Node, commands: list[Command]) -> list[Any]:
    """Send commands on the socket that there is, and return the replies; nothing reconnects."""
    node.send(commands)
    return node.receive(len(commands))


def discard(node: Node) -> None:
    """End a transaction without running it, also if an ACL refuses DISCARD."""
    if isinstance(exchanged(node, [("DISCARD",)])[0], ErrorReply):
        # Else what is sent next would be queued.
        node.close()


def _looked(
    connection: Connection, key: bytes, expected: bytes, value: bytes, doubt: _InDoubt
) -> Swap | None:
    """Return the outcome by what is stored now; None if it can be tried again."""
    try:
        stored = connection.call("GET", key)
    except PawsctlError as error:
        raise doubt.failure from error
    done = stored == value
    connection.ledger.settle(doubt.write, b"OK" if done else None)
    if done:
        return Swap.DONE
    if stored == expected:
        return None
    return Swap.GONE if stored is None else Swap.CHANGED


def require_passing(connection: Connection, reply: ErrorReply, *, is_late: bool) -> None:
    """Return if a refusal passes when the primary is found; raise OperationFailed for others."""
    if has_code(reply, *REDIRECTS) and not is_late and has_others(connection):
        if connection.follows_failovers:
            # The Sentinels are asked again who the primary is.
            connection.close()
        return
    # A refused EXEC is EXECABORT, with the reason in its text.
    is_refused = is_about_the_command(reply) or reply.code == "EXECABORT"
    if is_refused and _OF_TRANSACTIONS.search(reply.text):
        raise OperationFailed(
            f"Redis refused: {str(reply).rstrip('.')}.",
            hint="A session is changed only if the bot does not change it at the same time: that "
            "needs +watch +multi +discard +exec.",
        )
    raise_for_error(reply)


def has_others(connection: Connection) -> bool:
    """Return whether another server can take the primary's place."""
    return connection.follows_failovers or connection.resolved().is_cluster
