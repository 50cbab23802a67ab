"""Report the memory of each primary with warnings, and set its limit."""

from collections.abc import Callable
from typing import Any

import msgspec

from pawsctl import sizes
from pawsctl.connection import Connection, ErrorReply, Node, info_fields, raise_for_error
from pawsctl.errors import OperationFailed, Partial, UsageError
from pawsctl.plurals import plural
from pawsctl.sessions.stats import pictures
from pawsctl.sessions.stats.pictures import Pictures

_NEARLY_FULL = 0.9
_LEAST_LIMIT = 256 << 20
_LOADING = "Redis is still loading its data: the figures are those so far"
_NO_LIMIT = "there is no memory limit: it may take all that the machine has"


class NodeMemory(msgspec.Struct, frozen=True):
    """One primary's memory in bytes; `limit` is None if there is none, or it is not reported.

    `fragmentation` is bytes taken from the system per byte used, `evicted` counts keys since the
    server started. A field that the server does not report is None, and a warning names it.
    """

    node: str
    used: int | None
    peak: int | None
    limit: int | None
    fragmentation: float | None
    policy: str | None
    evicted: int | None
    aof: bool | None
    warnings: list[str]

    @property
    def is_unlimited(self) -> bool:
        """Whether the server reports that it has no limit."""
        return _NO_LIMIT in self.warnings


class Memory(msgspec.Struct, frozen=True, omit_defaults=True):
    """The memory of every primary behind `url`; the `silent` ones do not answer.

    `pictures` are the bot's temporary pictures; None if there are none or they were not measured.
    """

    url: str
    nodes: list[NodeMemory]
    silent: list[str]
    pictures: Pictures | None = None


class LimitSet(msgspec.Struct, frozen=True):
    """The memory limit that each primary has now, in bytes; 0 for none."""

    url: str
    limit: int
    nodes: list[str]


def report(connection: Connection) -> Memory:
    """Report every primary that answers. Raises OperationFailed if one refuses INFO."""
    nodes, silent = connection.answering()
    told = [_node_memory(str(node), _info(node)) for node in nodes]
    return Memory(connection.target.url, told, list(map(str, silent)))


def report_with_pictures(connection: Connection) -> Memory:
    """Report the memory and the bot's pictures; that scans all keys for a few seconds at most."""
    found = report(connection)
    return msgspec.structs.replace(found, pictures=pictures.measure(connection))


def require_all(found: Memory) -> None:
    """Raise Partial if a primary does not answer."""
    if found.silent:
        raise Partial(
            f"{len(found.silent)} of {len(found.silent) + len(found.nodes)} primaries of "
            f"{found.url} do not answer: {', '.join(found.silent)}.",
            hint="See 'CLUSTER NODES' on any node.",
        )


def size(text: str) -> int:
    """Parse a size as in redis.conf into bytes: `512mb`, `1gb`, `100k` (1000), `0` for no limit.

    Raises UsageError for anything else.
    """
    try:
        return sizes.in_bytes(text)
    except ValueError as error:
        raise UsageError(f"'{text}' is no size.", hint="Write it like 512mb or 1gb.") from error


def outgrows(now: Memory, limit: int) -> bool:
    """Return whether a limit in bytes (0 for none) is too high for the container of `redis up`.

    The container may use twice the limit that Redis was started with, and at least 512 MB.
    """
    most = max(_LEAST_LIMIT, *(node.limit or limit for node in now.nodes))
    return not limit or limit > most


def set_limit(connection: Connection, limit: int) -> LimitSet:
    """Set `maxmemory` of every primary in bytes, at once and until it restarts."""
    nodes = connection.primaries()
    for node in nodes:
        node.call("CONFIG", "SET", "maxmemory", limit)
    return LimitSet(connection.target.url, limit, [str(node) for node in nodes])


def _info(node: Node) -> dict[str, str]:
    """Return a primary's INFO fields. Raises OperationFailed if none is about memory."""
    # A section at a time: servers before 7.0 take only one.
    replies = node.pipeline([("INFO", section) for section in ("memory", "stats", "persistence")])
    told = [each for each in replies if not isinstance(each, ErrorReply)]
    fields = info_fields(b"\r\n".join(told if told else [raise_for_error(replies[0])]))
    if not fields.keys() & set(_FIELDS):
        raise OperationFailed(
            f"What {node} answers to INFO memory tells nothing of its memory.",
            hint="Is it a Redis? Look with 'redis-cli INFO memory'.",
        )
    return fields


_FIELDS = (
    "used_memory",
    "used_memory_peak",
    "maxmemory",
    "mem_fragmentation_ratio",
    "maxmemory_policy",
    "evicted_keys",
    "aof_enabled",
)


def _node_memory(name: str, info: dict[str, str]) -> NodeMemory:
    unknown: list[str] = []
    # It then says that its append-only file is off.
    is_loading = info.get("loading") == "1"

    def told(field: str, convert: Callable[[str], Any]) -> Any:
        try:
            return convert(info[field])
        except (KeyError, ValueError):
            unknown.append(field)
            return None

    found = NodeMemory(
        node=name,
        used=told("used_memory", int),
        peak=told("used_memory_peak", int),
        limit=told("maxmemory", int) or None,
        fragmentation=told("mem_fragmentation_ratio", float),
        policy=told("maxmemory_policy", str),
        evicted=told("evicted_keys", int),
        aof=None if is_loading else told("aof_enabled", lambda word: word == "1"),
        warnings=[],
    )
    warnings = list(_warnings(found, has_limit="maxmemory" in unknown or found.limit is not None))
    if is_loading:
        warnings.append(_LOADING)
    if unknown:
        warnings.append(f"the server does not tell {', '.join(unknown)}")
    return msgspec.structs.replace(found, warnings=warnings)


def _warnings(node: NodeMemory, *, has_limit: bool) -> list[str]:
    warnings = []
    if node.evicted:
        count = plural(node.evicted, "key")
        warnings.append(f"Redis evicted {count}: sessions are lost before their time")
    if not has_limit:
        warnings.append(_NO_LIMIT)
    elif node.used and node.limit and node.used > node.limit * _NEARLY_FULL:
        warnings.append(f"{node.used / node.limit:.0%} of the limit is used")
    if node.policy == "noeviction":
        warnings.append("the policy is noeviction: writes fail when memory is full")
    if node.aof is False:
        warnings.append("AOF is off: sessions since the last save are lost when Redis stops")
    return warnings
