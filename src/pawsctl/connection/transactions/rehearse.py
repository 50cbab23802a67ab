"""Find out which commands Redis would refuse, without running any of them.

They are queued in a transaction that is discarded: an ACL looks at a command when it is queued.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from pawsctl.connection.base import Connection
from pawsctl.connection.cluster.redirects import REDIRECTS
from pawsctl.connection.commands import Command, Queued, key_of
from pawsctl.connection.node import Node
from pawsctl.connection.replies import ErrorReply, has_code
from pawsctl.connection.transactions.compare_and_set import discard, exchanged
from pawsctl.errors import LoginRefused, RedisUnreachable

# Commands that are queued at a time.
_MOST = 500


def refusals(connection: Connection, commands: Sequence[Command]) -> list[ErrorReply] | None:
    """Return the refusals of those commands, each with one key, that Redis would refuse.

    None if it refuses transactions, and so does not tell. Raises RedisUnreachable.
    """
    found: list[ErrorReply] = []
    # Nothing that is queued is done.
    with connection.ledger.aside():
        for some in _batches(connection, commands):
            node = connection.owner(key_of(some[0]) or b"")
            node.connect()
            # MULTI is answered before anything else is sent: if it were refused, the commands
            # behind it would be done.
            try:
                (multi,) = exchanged(node, [("MULTI",)])
            except LoginRefused:
                raise
            except RedisUnreachable:
                # A proxy hangs up at what it does not know. If Redis is gone, the next command
                # tells.
                return None
            if multi != b"OK":
                node.close()
                return None
            queued: list[Any] = exchanged(node, list(map(Queued, some)))
            discard(node)
            found += [
                each
                for each in queued
                if isinstance(each, ErrorReply) and not has_code(each, *REDIRECTS)
            ]
    return found


def _batches(connection: Connection, commands: Sequence[Command]) -> Iterator[list[Command]]:
    """Yield the commands in batches, each for one server."""
    groups: dict[Node | None, list[Command]] = {}
    is_cluster = connection.resolved().is_cluster
    for each in commands:
        node = connection.owner(key_of(each) or b"") if is_cluster else None
        groups.setdefault(node, []).append(each)
    for group in groups.values():
        for begin in range(0, len(group), _MOST):
            yield group[begin : begin + _MOST]
