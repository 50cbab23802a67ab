"""One pass over many keys, whatever stands behind the connection, and whatever fails meanwhile."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

from pawsctl.connection import Connection, Node, has_code
from pawsctl.connection.scan.one_server import Ask, Batch, Search, SeenKeys, node_batches
from pawsctl.connection.scan.portions import Portions
from pawsctl.errors import LoginRefused, RedisUnreachable

if TYPE_CHECKING:
    from pawsctl.connection.cluster.client import Cluster

# What a server says that has become a replica, or is about to: another is the primary.
_NO_PRIMARY = ("READONLY", "LOADING", "MASTERDOWN")


def batches(
    connection: Connection,
    search: Search,
    ask: Ask,
    *,
    deletes: bool = False,
    portions: Portions | None = None,
) -> Iterator[Batch]:
    """Every key that is looked for, once, in batches, with the replies to what `ask` asked.

    What exists throughout is found, whatever fails or moves meanwhile: a server that goes away is
    waited for as long as a failover may take, and whoever takes its place is asked again. A refused
    reply stands in the batch; a refused SCAN is OperationFailed. Raises RedisUnreachable, and
    Partial where a part of a cluster did not answer. With `deletes`, what is asked last deletes the
    keys: only a primary is asked, and a key that a failover brought back comes again. `portions` is
    what other passes have learnt of the sizes of values.
    """
    portions = portions or Portions()
    known = SeenKeys(once=not deletes)
    connection.connect()
    if not connection.resolved().is_cluster:
        yield from _of_one_server(connection, search, ask, known, portions, deletes=deletes)
    # It may have turned out to be one only now.
    cluster = connection.resolved()
    if cluster.is_cluster:
        # 5 ms: only who meets a cluster pays for it.
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
    """A pass over one server; ends where that turns out to be a cluster's."""
    since: float | None = None
    while True:
        try:
            node = connection.primaries()[0] if deletes else connection.reader()
            taken = connection.substitutes
            found = node_batches(node, search, ask, known, substitutes=taken, portions=portions)
            for batch in found:
                if connection.resolved().is_cluster:
                    # It may have refused a part of the batch for the slots of its keys.
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
