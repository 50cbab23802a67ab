"""What the servers of a topology say of themselves, and of each other."""

from typing import Any, Literal

from msgspec import Struct

from pawsctl.connection import info_reply

Role = Literal["primary", "replica", "sentinel"]

# Seconds. A server of this machine answers in milliseconds; one that was paused never does.
LOOK_TIMEOUT = 1.0


class TopologyNode(Struct, frozen=True):
    """A Redis's own words.

    `primary_port` is whose replica it is, `is_linked` whether it is connected to that one,
    `replicas` how many are connected to it. `offset` counts bytes of the replication's stream,
    `last_io` seconds since the primary was last heard of. `slots` are what it owns of a cluster.
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
    slots: frozenset[int] = frozenset()


class Quorum(Struct, frozen=True):
    """How many Sentinels answer, how many of them name the same primary, and how many it takes."""

    sentinels: int
    agreeing: int
    needed: int


class TopologyView(Struct, frozen=True):
    """A topology as it is now: service → node, of those that answer.

    `serves` says whether writes are taken, `problems` what is missing to the whole, in words.
    `primary` is whom the Sentinels name.
    """

    nodes: dict[str, TopologyNode]
    problems: tuple[str, ...]
    serves: bool
    quorum: Quorum | None = None
    primary: str | None = None


def of_info(reply: Any, slots: frozenset[int] = frozenset()) -> TopologyNode:
    """A node from its answer to INFO."""
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
        slots=slots,
    )
