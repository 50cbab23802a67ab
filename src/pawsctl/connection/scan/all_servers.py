"""SCAN all matching keys on any deployment, through failovers."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

from pawsctl.connection import Connection, Node, has_code
from pawsctl.connection.scan.one_server import Ask, Batch, Search, node_batches
from pawsctl.connection.scan.portions import Portions
from pawsctl.connection.scan.seen_keys import SeenKeys
from pawsctl.errors import LoginRefused, RedisUnreachable

if TYPE_CHECKING:
    from pawsctl.connection.cluster.client import Cluster

# Error codes of a server that is no primary any more, or not yet.
_NO_PRIMARY = ("READONLY", "LOADING", "MASTERDOWN")


def batches(
    connection: Connection,
    search: Search,
    ask: Ask,
    *,
    deletes: bool = False,
    portions: Portions | None = None,
) -> Iterator[Batch]:
    """Yield every matching key once, in batches, with the replies to the commands of `ask`.

    A key that exists throughout is found, whatever fails or moves meanwhile: if a server goes away,
    the pass waits as long as a failover may take, and scans its successor again. An error reply
    stands in the batch; a refused SCAN raises OperationFailed. Raises RedisUnreachable, and Partial
    if a part of a cluster did not answer.

    `deletes` says that the last command of `ask` deletes the keys: only primaries are asked, and a
    key that a failover brought back comes again. `portions` holds the sizes of values that other
    passes found.
    """
    portions = portions or Portions()
    known = SeenKeys(once=not deletes)
    connection.connect()
    if not connection.resolved().is_cluster:
        yield from _of_one_server(connection, search, ask, known, portions, deletes=deletes)
    # The server may have turned out to be a cluster during the pass.
    cluster = connection.resolved()
    if cluster.is_cluster:
        # Imported here: it takes 5 ms, which only clusters need.
        from pawsctl.connection.scan.cluster_scan import Sweep

        yield from Sweep(cast("Cluster", cluster), search, ask, known, portions).batches(
            deletes=deletes
        )


def _of_one_server(
    connection: Connection,
    search: Search,
    ask: Ask,
    known: SeenKeys,
    portions: Portions,
    *,
    deletes: bool,
) -> Iterator[Batch]:
    """Yield the batches of one server; stop if it turns out to be a cluster's node."""
    since: float | None = None
    while True:
        try:
            node = connection.primaries()[0] if deletes else connection.reader()
            taken = connection.substitutes
            found = node_batches(node, search, ask, known, substitutes=taken, portions=portions)
            for batch in found:
                if connection.resolved().is_cluster:
                    # The server may have refused a part of the batch for the slots of its keys.
                    known.forget(batch[0])
                    return
                if deletes and connection.follows_failovers:
                    _require_primary(node, batch[1][-1])
                since = None
                yield batch
        except LoginRefused:
            raise
        except RedisUnreachable as error:
            since = since or time.monotonic()
            connection.lost(error, since=since)
        else:
            return


def _require_primary(node: Node, reply: Any) -> None:
    if has_code(reply, *_NO_PRIMARY):
        raise RedisUnreachable(
            f"{node} is no primary any more: {reply}.", hint="Run the command again."
        )
