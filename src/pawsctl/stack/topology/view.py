"""The state of a topology, as its servers report it."""

from typing import Any, Literal

from msgspec import Struct

from pawsctl.connection import info_reply

Role = Literal["primary", "replica", "sentinel"]

# Seconds. A server on this machine answers in milliseconds; a paused one never does.
LOOK_TIMEOUT = 1.0
_REFUSALS = ("MISCONF", "LOADING")


class TopologyNode(Struct, frozen=True):
    """A Redis node, as it reports itself.

    `primary_port` is the port of a replica's primary, `is_linked` whether it is connected to it,
    `replicas` how many replicas are connected to the node. `offset` counts bytes of the replication
    stream, `last_io` seconds since the primary was last heard of. `slots` are its cluster slots,
    `server` is its name and version. `refusal` is its answer to PING if it can't save, or loads.
    """

    role: Role
    primary_port: int | None
    is_linked: bool
    replicas: int
    offset: int
    last_io: int | None
    keys: int
    expiring: int
    memory: int
    server: str
    refusal: str
    slots: frozenset[int] = frozenset()


class Quorum(Struct, frozen=True):
    """The number of Sentinels that answer, that name the same primary, and that are needed."""

    sentinels: int
    agreeing: int
    needed: int


class TopologyView(Struct, frozen=True):
    """The current state of a topology; `nodes` has those that answer, by service.

    `serves` says whether it accepts writes, `problems` in words what is wrong or missing. `primary`
    is the service that the Sentinels name.
    """

    nodes: dict[str, TopologyNode]
    problems: tuple[str, ...]
    serves: bool
    quorum: Quorum | None = None
    primary: str | None = None


def of_info(reply: Any, pinged: str, slots: frozenset[int] = frozenset()) -> TopologyNode:
    """Return a node from its INFO reply and what `probe.ping` returned."""
    info = info_reply.fields(reply)
    is_primary = info.get("role") == "master"
    offset = info.get("master_repl_offset" if is_primary else "slave_repl_offset", "0")
    last_io = info.get("master_last_io_seconds_ago", "-1")
    attached = [
        value
        for name, value in info.items()
        if name.startswith("slave") and name[5:].isdigit() and "state=online" in value
    ]
    keys, expiring = info_reply.keys(info)
    return TopologyNode(
        role="primary" if is_primary else "replica",
        primary_port=None if is_primary else int(info.get("master_port", "0")),
        is_linked=info.get("master_link_status") == "up",
        replicas=len(attached),
        offset=int(offset),
        last_io=int(last_io) if last_io.isdigit() else None,
        keys=keys,
        expiring=expiring,
        memory=int(info.get("used_memory", "0")),
        server=info_reply.server(info),
        refusal=pinged.partition(". ")[0].rstrip(".") if pinged.startswith(_REFUSALS) else "",
        slots=slots,
    )
