"""Look at a Redis for evidence that it is production's."""

from collections.abc import Callable, Collection
from typing import Any

from msgspec.structs import replace

from pawsctl.config.target import Address, is_loopback
from pawsctl.connection import Connection, ErrorReply, Node, info_fields, probe
from pawsctl.connection.cluster import slots
from pawsctl.errors import LoginRefused, PawsctlError, RedisUnreachable
from pawsctl.safety.evidence import Seen

OwnPorts = Callable[[Collection[int]], Collection[int]]
"""Returns which of some ports of this machine are those of topologies that this project started."""


def at(connection: Connection, own_ports: OwnPorts) -> Seen:
    """Return what can be seen of the Redis behind a connection.

    Raises RedisUnreachable, LoginRefused, OperationFailed if its servers are not known.
    """
    connection.connect()
    foreign = connection.foreign_host()
    nodes, silent = connection.answering()
    replicas: dict[Address, int] = {}
    untold = [f"whether {each} has replicas, since it does not answer" for each in silent]
    for node in nodes:
        count = _replicas(node)
        if count is None:
            untold.append(f"whether {node} has replicas, since it answers neither INFO nor ROLE")
        elif count:
            address = node.target.addresses[0] if node.target.addresses else Address("", 0)
            replicas[address] = count
    here = {each.port for each in replicas if is_loopback(each.host)}
    own = own_ports(here) if here else ()
    return Seen(
        foreign,
        {
            str(each) if each.port else connection.target.host: count
            for each, count in replicas.items()
            if not (is_loopback(each.host) and each.port in own)
        },
        tuple(untold),
        _names(connection, foreign),
        addresses(connection),
    )


def at_own(port: int, password: str | None) -> Seen:
    """Return what can be seen of this project's own single Redis, whether it runs or not."""
    seen = nothing_at_own()
    try:
        (reply,) = probe.ask(port, password, ("INFO", "replication"))
    except ConnectionRefusedError:
        return seen
    except probe.Refused as error:
        return replace(seen, untold=(f"whether Redis has replicas: {error}",))
    except OSError:
        return replace(seen, untold=(f"whether Redis has replicas: none answers on port {port}",))
    told = info_fields(reply).get("connected_slaves", "0")
    count = int(told) if told.isdecimal() else 0
    return replace(seen, replicas={f"127.0.0.1:{port}": count} if count else {})


def nothing_at_own() -> Seen:
    """Return what is seen of this project's own Redis without a look."""
    return Seen(None, {}, (), ("127.0.0.1", "localhost"))


def _replicas(node: Node) -> int | None:
    """Return how many replicas are attached to a server; None if it does not tell."""
    try:
        info, role = node.pipeline([("INFO", "replication"), ("ROLE",)])
    except LoginRefused:
        raise
    except RedisUnreachable:
        # A proxy hangs up at unknown commands; if the server is gone, the next command fails.
        return None
    if not isinstance(info, ErrorReply):
        told = info_fields(info).get("connected_slaves", "")
        if told.isdecimal():
            return int(told)
    if isinstance(role, list) and len(role) > 2 and role[0] == b"master":
        return len(role[2])
    return 0 if isinstance(role, list) else None


def _names(connection: Connection, foreign: str | None) -> tuple[str, ...]:
    """Return the names by which a Redis may be confirmed, the best one first."""
    target = connection.target
    if target.kind == "sentinel":
        servers = connection.addresses()
        hosts = [*(each.host for each in servers), *map(str, servers)]
        return tuple(dict.fromkeys([target.service or "", *hosts]))
    found = connection.resolved()
    if not found.is_cluster:
        return (foreign or target.host, *map(str, target.addresses))
    hosts = [foreign] if foreign else []
    for address in [*connection.addresses(), *_members(found)]:
        hosts += [address.host, str(address)]
    return tuple(dict.fromkeys(hosts))


def addresses(connection: Connection) -> tuple[Address, ...]:
    """Return where the servers are, and the Sentinels that watch over them."""
    found = connection.resolved()
    members = _members(found) if found.is_cluster else []
    return (*connection.addresses(), *members, *connection.sentinels())


def _members(cluster: Connection) -> list[Address]:
    """Return the addresses of a cluster's nodes, replicas too; none if nobody tells."""
    try:
        node = cluster.reader()
        reply: Any = node.call("CLUSTER", "NODES")
    except PawsctlError:
        return []
    asked = node.target.addresses[0]
    return [each.address for each in slots.members(reply, asked) if each.address.port]
