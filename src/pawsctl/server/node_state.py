"""The state of each primary for monitoring: memory, lost keys, clients, replicas."""

import re
from collections.abc import Mapping

import msgspec

from pawsctl.connection import Connection, ErrorReply, Node, info_fields
from pawsctl.errors import PawsctlError

_SECTIONS = ("memory", "stats", "clients", "replication")
# slave0:ip=127.0.0.1,port=6380,state=online,offset=14,lag=0
_REPLICA = re.compile(r"slave\d+")


class NodeState(msgspec.Struct, frozen=True):
    """Figures of one server from its INFO; one that it does not tell is None.

    Memory is in bytes, a limit of 0 is none. `evicted` and `expired` count keys since its start.
    `replica_lag` is the bytes that the last replica is behind, None without replicas;
    `is_linked` says whether a replica has its primary, None for a primary.
    """

    node: str
    memory_used: int | None = None
    memory_limit: int | None = None
    evicted: int | None = None
    expired: int | None = None
    clients: int | None = None
    replicas: int | None = None
    replicas_online: int | None = None
    replica_lag: int | None = None
    is_linked: bool | None = None


def states(connection: Connection) -> list[NodeState]:
    """Return the state of every primary that answers; without figures if it refuses INFO."""
    nodes, _silent = connection.answering()
    return [_state(node) for node in nodes]


def _state(node: Node) -> NodeState:
    # A section at a time: servers before 7.0 take only one.
    try:
        replies = node.pipeline([("INFO", section) for section in _SECTIONS])
    except PawsctlError:
        # The health check names the failure.
        return NodeState(str(node))
    told = [each for each in replies if not isinstance(each, ErrorReply)]
    return of_fields(str(node), info_fields(b"\r\n".join(told)))


def of_fields(node: str, info: Mapping[str, str]) -> NodeState:
    """Return the state that the fields of INFO tell."""
    replicas = [
        dict(pair.partition("=")[::2] for pair in value.split(","))
        for name, value in info.items()
        if _REPLICA.fullmatch(name)
    ]
    offset = _number(info, "master_repl_offset")
    behind = [_number(each, "offset") for each in replicas]
    known = [each for each in behind if each is not None]
    role = info.get("role")
    return NodeState(
        node,
        memory_used=_number(info, "used_memory"),
        memory_limit=_number(info, "maxmemory"),
        evicted=_number(info, "evicted_keys"),
        expired=_number(info, "expired_keys"),
        clients=_number(info, "connected_clients"),
        replicas=_number(info, "connected_slaves"),
        replicas_online=None
        if role is None
        else sum(each.get("state") == "online" for each in replicas),
        replica_lag=max(0, offset - min(known)) if known and offset is not None else None,
        is_linked=info.get("master_link_status") == "up" if role == "slave" else None,
    )


def _number(fields: Mapping[str, str], name: str) -> int | None:
    try:
        return int(fields[name])
    except (KeyError, ValueError):
        return None
