"""How much memory each primary holds, and what of it should worry somebody."""

import msgspec

from pawsctl import sizes
from pawsctl.connection import Connection, Node, info_fields
from pawsctl.errors import OperationFailed, Partial, UsageError

_NEARLY_FULL = 0.9
_LEAST_LIMIT = 256 << 20


class NodeMemory(msgspec.Struct, frozen=True):
    """One primary's memory in bytes; `limit` is None where there is none.

    `fragmentation` is what the system gave for each byte that is used, `evicted` counts keys since
    the server started.
    """

    node: str
    used: int
    peak: int
    limit: int | None
    fragmentation: float
    policy: str
    evicted: int
    aof: bool
    warnings: list[str]


class Memory(msgspec.Struct, frozen=True):
    """The memory of every primary behind `url` but the `silent` ones, which do not answer."""

    url: str
    nodes: list[NodeMemory]
    silent: list[str]


class LimitSet(msgspec.Struct, frozen=True):
    """The memory limit that each primary has now, in bytes; 0 for none."""

    url: str
    limit: int
    nodes: list[str]


def report(connection: Connection) -> Memory:
    """Ask every primary that answers. Raises OperationFailed where one may not be asked."""
    nodes, silent = connection.answering()
    told = [_node_memory(str(node), _info(node)) for node in nodes]
    return Memory(connection.target.url, told, list(map(str, silent)))


def require_all(found: Memory) -> None:
    """Raises Partial where a primary does not answer."""
    if found.silent:
        raise Partial(
            f"{len(found.silent)} of {len(found.silent) + len(found.nodes)} primaries of "
            f"{found.url} do not answer: {', '.join(found.silent)}.",
            hint="See 'CLUSTER NODES' on any node.",
        )


def size(text: str) -> int:
    """Bytes from a size as redis.conf has it: `512mb`, `1gb`, `100k` (1000), `0` for no limit.

    Raises UsageError for anything else.
    """
    try:
        return sizes.in_bytes(text)
    except ValueError as error:
        raise UsageError(f"'{text}' is no size.", hint="Write it like 512mb or 1gb.") from error


def outgrows(now: Memory, limit: int) -> bool:
    """Whether a limit in bytes (0 for none) is more than the container of `redis up` is made for.

    It may use twice the limit that Redis was started with, and 512 MB at least.
    """
    most = max(_LEAST_LIMIT, *(node.limit or limit for node in now.nodes))
    return not limit or limit > most


def set_limit(connection: Connection, limit: int) -> LimitSet:
    """Change `maxmemory` of every primary, at once and until it restarts."""
    nodes = connection.primaries()
    for node in nodes:
        node.call("CONFIG", "SET", "maxmemory", limit)
    return LimitSet(connection.target.url, limit, [str(node) for node in nodes])


def _info(node: Node) -> dict[str, str]:
    # A section at a time: servers before 7.0 take only one.
    sections = ("memory", "stats", "persistence")
    return info_fields(b"".join(node.call("INFO", section) for section in sections))


def _node_memory(name: str, info: dict[str, str]) -> NodeMemory:
    try:
        limit = int(info["maxmemory"]) or None
        used = int(info["used_memory"])
        found = NodeMemory(
            node=name,
            used=used,
            peak=int(info["used_memory_peak"]),
            limit=limit,
            fragmentation=float(info["mem_fragmentation_ratio"]),
            policy=info["maxmemory_policy"],
            evicted=int(info["evicted_keys"]),
            aof=info.get("aof_enabled") == "1",
            warnings=[],
        )
    except (KeyError, ValueError) as error:
        raise OperationFailed(
            f"What {name} says of its memory can't be read: {error}.",
            hint="Is it a Redis? Look with 'redis-cli INFO memory'.",
        ) from error
    return msgspec.structs.replace(found, warnings=list(_warnings(found)))


def _warnings(node: NodeMemory) -> list[str]:
    warnings = []
    if node.evicted:
        warnings.append(
            f"{node.evicted} keys were evicted: sessions are lost before their six hours"
        )
    if node.limit is None:
        warnings.append("there is no memory limit: it may take all that the machine has")
    elif node.used > node.limit * _NEARLY_FULL:
        warnings.append(f"{node.used / node.limit:.0%} of the limit is used")
    if node.policy == "noeviction":
        warnings.append("the policy is noeviction: the bot's writes fail when memory is full")
    if not node.aof:
        warnings.append("AOF is off: sessions since the last save are lost when Redis stops")
    return warnings
