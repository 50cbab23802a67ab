"""Change keys only if they still hold what was read of them; several keys at a time.

WATCH, MULTI and EXEC do what a script would, and are allowed where scripts are not. If a key of a
batch changes between the two, nothing of the batch is done, and its halves are tried alone.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from pawsctl.connection.base import POLL_SECONDS, Connection, uncertain
from pawsctl.connection.cluster.redirects import REDIRECTS
from pawsctl.connection.cluster.slots import slot_of
from pawsctl.connection.commands import Command, Queued
from pawsctl.connection.node import Node
from pawsctl.connection.replies import ErrorReply, Misread, has_code, is_in_doubt, refused
from pawsctl.connection.transactions.compare_and_set import (
    discard,
    exchanged,
    has_others,
    require_passing,
)
from pawsctl.errors import LoginRefused, RedisUnreachable

# More of them would more often have to be tried again.
_MOST = 32
_NOT_DONE = ErrorReply("EXECABORT", "Transaction discarded.")


class Change(NamedTuple):
    """A command that changes a key, to be done if `is_same` is true of the replies to `looks`."""

    key: bytes
    looks: Sequence[Command]
    is_same: Callable[[Sequence[Any]], bool]
    command: Command


def change_if_same(connection: Connection, changes: Sequence[Change]) -> list[Any]:
    """Return for each change the reply to its command, None if the key is not the same.

    A refusal is an ErrorReply. Follows redirects and failovers. Raises RedisUnreachable, Uncertain
    if changes may have been made.
    """
    found: dict[int, Any] = {}
    waiting = list(_batches(connection, changes))
    until = time.monotonic() + connection.timeouts.failover
    while waiting:
        batch = waiting.pop()
        replies = _tried(connection, [changes[number] for number in batch], until)
        if replies is None:
            middle = len(batch) // 2
            waiting += [batch[middle:], batch[:middle]]
            continue
        moved = next((each for each in replies if has_code(each, *REDIRECTS)), None)
        if moved is not None and has_others(connection):
            require_passing(connection, moved, is_late=time.monotonic() > until)
            time.sleep(POLL_SECONDS)
            # Finds the primary that there is now, or raises.
            connection.call("TYPE", changes[batch[0]].key)
            told = zip(batch, replies, strict=True)
            waiting.append([number for number, each in told if has_code(each, *REDIRECTS)])
        else:
            until = time.monotonic() + connection.timeouts.failover
        found.update(zip(batch, replies, strict=True))
    return [found[number] for number in range(len(changes))]


def _batches(connection: Connection, changes: Sequence[Change]) -> Iterator[list[int]]:
    """Yield the numbers of the changes; of a cluster, those of one slot may go together."""
    if not connection.resolved().is_cluster:
        for begin in range(0, len(changes), _MOST):
            yield list(range(begin, min(begin + _MOST, len(changes))))
        return
    slots: dict[int, list[int]] = {}
    for number, each in enumerate(changes):
        slots.setdefault(slot_of(each.key), []).append(number)
    for numbers in slots.values():
        yield from (numbers[begin : begin + _MOST] for begin in range(0, len(numbers), _MOST))


def _tried(connection: Connection, batch: Sequence[Change], until: float) -> list[Any] | None:
    """Try a batch; None if nothing of it was done, and its halves can be tried."""
    node, (watched, *told, multi) = _watched(connection, batch, until)
    for refusal in (watched, multi):
        if isinstance(refusal, ErrorReply):
            # Nothing must stay watched or queued.
            node.close()
            return [refusal] * len(batch)
    results, writes = _meant(batch, told)
    if not writes:
        discard(node)
        return results
    done = _executed(node, list(writes.values()))
    if not isinstance(done, list):
        if len(batch) > 1:
            for write in writes.values():
                connection.ledger.settle(write, _NOT_DONE)
            return None
        done = [done]
    for (number, write), reply in zip(writes.items(), done, strict=True):
        results[number] = _reply(reply)
        connection.ledger.settle(write, results[number])
    return results


def _watched(
    connection: Connection, batch: Sequence[Change], until: float
) -> tuple[Node, list[Any]]:
    """Return the node of the keys and the replies to WATCH, to all looks, and to MULTI."""
    watch: Command = ("WATCH", *(each.key for each in batch))
    looks = [look for each in batch for look in each.looks]
    while True:
        try:
            node = connection.owner(batch[0].key)
            node.connect()
            # From here on not through `pipeline`, which would reconnect and so lose the WATCH.
            return node, exchanged(node, [watch, *looks, ("MULTI",)])
        except LoginRefused:
            raise
        except RedisUnreachable:
            # No write was sent.
            if time.monotonic() > until or not has_others(connection):
                raise
            time.sleep(POLL_SECONDS)
            connection.call("TYPE", batch[0].key)


def _executed(node: Node, writes: list[Command]) -> Any:
    """Return the replies to the writes; None or an ErrorReply if none of them was done."""
    try:
        *queued, executed = exchanged(node, [*writes, ("EXEC",)])
    except RedisUnreachable as error:
        doubt = uncertain(error, writes)
        if doubt is None:
            raise
        raise doubt from error
    if isinstance(executed, ErrorReply) and not isinstance(executed, Misread):
        # If EXEC itself was refused, what is sent next would be queued.
        node.close()
        # If a command was refused, that is the reason for EXEC's EXECABORT.
        found = next((each for each in queued if isinstance(each, ErrorReply)), executed)
        if is_in_doubt(found):
            raise refused(found)
        return found
    if executed is not None and (not isinstance(executed, list) or len(executed) != len(writes)):
        raise refused(Misread("EXEC", executed, "a reply for each command"))
    return executed


def _meant(batch: Sequence[Change], told: Sequence[Any]) -> tuple[list[Any], dict[int, Queued]]:
    """Return the results so far, and the writes that are to be done, by their numbers."""
    results: list[Any] = []
    writes = {}
    rest = iter(told)
    for number, each in enumerate(batch):
        replies = [next(rest) for _ in each.looks]
        failed = [reply for reply in replies if isinstance(reply, ErrorReply)]
        other = next((reply for reply in failed if not has_code(reply, "WRONGTYPE")), None)
        results.append(other)
        if not failed and each.is_same(replies):
            writes[number] = Queued(each.command)
    return results, writes


def _reply(reply: Any) -> Any:
    """Return a reply in that of EXEC, an error as an ErrorReply."""
    if not isinstance(reply, Exception):
        return reply
    from pawsctl.connection.sdk_errors import error_reply

    return error_reply(reply)
