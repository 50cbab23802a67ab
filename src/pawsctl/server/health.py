"""Check that the Redis behind a URL can serve the bot now, by asking each primary."""

import time
from collections.abc import Callable, Collection, Iterator
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

import msgspec

from pawsctl.config.target import Address, Target
from pawsctl.connection import (
    ClusterUntold,
    Connection,
    ErrorReply,
    Node,
    has_code,
    info_fields,
    refused,
)
from pawsctl.connection.cluster import slots
from pawsctl.errors import PawsctlError, ReadOnly, RedisUnreachable, UsageError
from pawsctl.sessions.contract.keyspace import Keyspace

if TYPE_CHECKING:
    from pawsctl.connection.cluster.client import Cluster


Kind = Literal["answers", "reads", "writes", "slots"]
KINDS: tuple[Kind, ...] = get_args(Kind)
SILENT = "it does not"
"""The detail of the check whether a node answers, for one that does not."""


class Check(msgspec.Struct, frozen=True, omit_defaults=True):
    """One check and its result; `seconds` is how long it took.

    A check that was not made, since another one failed, is `skipped`, and not ok.
    """

    name: str
    ok: bool
    seconds: float
    detail: str
    skipped: bool = False


class Health(msgspec.Struct, frozen=True):
    """The checks of every primary behind `url`, which has no password in it."""

    ok: bool
    url: str
    checks: list[Check]


def check(connection: Connection, keyspace: Keyspace, only: Collection[Kind] = ()) -> Health:
    """Check that every primary answers, may be read, and would take the bot's writes.

    `only` are the checks to make; all if empty. A primary that does not answer or is not known is a
    failed check in any case: no other one holds for it. If only reads are sent, writes are not
    checked. Raises RedisUnreachable or LoginRefused if
    there is no connection, UsageError if the slots are asked for and there are none.
    """
    connection.key_prefix = keyspace.prefix
    connection.connect()
    untold = None
    try:
        nodes, silent = connection.answering()
    except ClusterUntold as error:
        nodes, silent, untold = [connection.reader()], [], error
    kinds = _without_writes(connection.target, only)
    if "slots" in only and not connection.resolved().is_cluster:
        raise UsageError(
            f"{connection.target.url} has no slots to check: it is no cluster.",
            hint="Leave --only slots out.",
        )
    checks = [each for node in nodes for each in _checks(node, keyspace, kinds)]
    checks += [Check(f"{address} answers", False, 0.0, SILENT) for address in silent]
    if untold is not None:
        checks.append(Check("all primaries are known", False, 0.0, untold.message))
    elif not silent and "slots" in (only or KINDS) and connection.resolved().is_cluster:
        unserved = _unserved(connection)
        detail = f"nobody serves {slots.ranges_text(unserved)}" if unserved else ""
        if unserved or only:
            checks.append(Check(_SLOTS, not unserved, 0.0, detail))
    return Health(all(each.ok for each in checks), connection.target.url, checks)


def _without_writes(target: Target, only: Collection[Kind]) -> list[Kind]:
    """Return the checks to make; that of writes, which sends one, is left out if read-only.

    Raises ReadOnly if no other is asked for.
    """
    kinds: list[Kind] = [each for each in only or KINDS if each != "writes" or not target.read_only]
    if not kinds:
        raise ReadOnly.of(
            "whether Redis takes writes is found out by sending one", target.read_only
        )
    return kinds


def unconnected(error: PawsctlError, only: Collection[Kind] = ()) -> list[Check]:
    """Return the checks of a Redis that refused the connection: this failed, the rest skipped."""
    names = NAMES if only else _OF_A_NODE
    failed = Check("connect", False, 0.0, error.message)
    wanted = [name for kind, name in names.items() if kind in (only or KINDS)]
    return [failed, *(_skipped(name, "connect") for name in wanted)]


# The words of the report.
_SLOTS = "every slot is served"
_OF_A_NODE: dict[Kind, str] = {
    "answers": "answers",
    "reads": "may be read",
    "writes": "takes writes",
}
NAMES: dict[Kind, str] = {**_OF_A_NODE, "slots": _SLOTS}


def _unserved(connection: Connection) -> frozenset[int]:
    """Return the slots of a cluster that none of its primaries owns."""
    cluster = cast("Cluster", connection.resolved())
    return frozenset(range(slots.SLOTS)) - cluster.view().covered


def _skipped(name: str, failed: str) -> Check:
    return Check(name, False, 0.0, f"not checked, since '{failed}' failed", skipped=True)


def _checks(node: Node, keyspace: Keyspace, kinds: Collection[Kind]) -> Iterator[Check]:
    """Make the checks of one node; skip the others if it does not answer or is not ready."""
    unready = ""
    for kind in (each for each in _OF_A_NODE if each in kinds):
        name = f"{node} {_OF_A_NODE[kind]}"
        if unready:
            yield _skipped(name, unready)
        elif kind == "answers":
            result, is_ready = _answers(name, node)
            unready = "" if is_ready else name
            yield result
        elif kind == "reads":
            yield _readable(name, node, keyspace)
        else:
            yield _writable(name, node, keyspace)


def _answers(name: str, node: Node) -> tuple[Check, bool]:
    """Return the result of a PING, and whether other commands can succeed after it."""
    begun = time.perf_counter()
    detail, is_ready = "", True
    try:
        reply = node.pipeline([("PING",)])[0]
        is_ready = not has_code(reply, "LOADING", "MASTERDOWN", "BUSY")
        detail = refused(reply).message if isinstance(reply, ErrorReply) else ""
    except PawsctlError as error:
        detail, is_ready = error.message, False
    return Check(name, not detail, time.perf_counter() - begun, detail), is_ready


def _readable(name: str, node: Node, keyspace: Keyspace) -> Check:
    begun = time.perf_counter()
    try:
        node.call("SCAN", "0", "MATCH", keyspace.pattern())
        detail = ""
    except PawsctlError as error:
        detail = error.message
    return Check(name, not detail, time.perf_counter() - begun, detail)


def _writable(name: str, node: Node, keyspace: Keyspace) -> Check:
    """Check, without a write, that the node would accept the bot's next save.

    The bot's own command is sent with a TTL of 0: Redis checks the user's permissions, memory, disk
    and role first, and refuses it for the TTL only if nothing else is wrong.
    """
    begun = time.perf_counter()
    try:
        reply = _refusal(node, keyspace)
        if reply is None:
            detail = f"no session belongs here: {keyspace.prefix} has a hash tag"
            return Check(name, True, time.perf_counter() - begun, detail)
        reason = "" if has_code(reply, "ERR") and "expire" in reply.text else _reason(node, reply)
        if not reason and _info(node).get("role") == "slave":
            # A writable replica: its writes are lost with the next synchronisation.
            reason = "it is a replica"
    except PawsctlError as error:
        reason = error.message
    return Check(name, not reason, time.perf_counter() - begun, reason)


def _refusal(node: Node, keyspace: Keyspace) -> Any:
    """Return the reply to a SETEX with a TTL of 0, for a key that belongs to this node.

    None if a hash tag in the prefix puts all keys elsewhere.
    """
    reply = _refused_for(node, keyspace, lambda _slot: True)
    if not has_code(reply, "MOVED", "ASK", "TRYAGAIN"):
        return reply
    if keyspace.hash_tag:
        return None if has_code(reply, "MOVED") else reply
    lines = slots.members(node.call("CLUSTER", "NODES"), Address("", 0))
    own = next(each for each in lines if "myself" in each.flags)
    stay = own.slots - own.leaving.keys()
    return _refused_for(node, keyspace, stay.__contains__) if stay else reply


def _refused_for(node: Node, keyspace: Keyspace, fits: Callable[[int], bool]) -> Any:
    while True:
        key = keyspace.nobodys_key()
        if fits(slots.slot_of(key)):
            return node.pipeline([("SETEX", key, 0, "")])[0]


_REASONS = {
    "NOPERM": "this user may not write sessions",
    "READONLY": "it is a replica",
    "LOADING": "it is still loading its data",
}


def _reason(node: Node, reply: Any) -> str:
    """Return in a few words why a write is refused."""
    if not isinstance(reply, ErrorReply):
        return "it takes a TTL of 0, as no Redis does"
    if reply.code != "OOM":
        return _REASONS.get(reply.code) or refused(reply).message
    policy = _info(node).get("maxmemory_policy")
    if policy is None:
        return "its memory is full"
    if policy == "noeviction":
        return "its memory is full, and its policy is noeviction"
    return f"its memory is full, and {policy} finds nothing more to evict"


def _info(node: Node) -> dict[str, str]:
    """Return the fields of INFO; none if this user or a proxy does not allow it."""
    try:
        reply = node.pipeline([("INFO",)])[0]
    except RedisUnreachable:
        # The server answered before: a proxy closes the connection on an unknown command.
        return {}
    return {} if isinstance(reply, ErrorReply) else info_fields(reply)
