"""Check that the Redis behind a URL can serve the bot now, by asking each primary."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import msgspec

from pawsctl.config.target import Address
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
from pawsctl.errors import PawsctlError, RedisUnreachable
from pawsctl.sessions.contract.keys import SESSION_PREFIX, nobodys_phone, session_key

if TYPE_CHECKING:
    from pawsctl.connection.cluster.client import Cluster


class Check(msgspec.Struct, frozen=True):
    """One check and its result; `seconds` is how long it took."""

    name: str
    ok: bool
    seconds: float
    detail: str


class Health(msgspec.Struct, frozen=True):
    """The checks of every primary behind `url`, which has no password in it."""

    ok: bool
    url: str
    checks: list[Check]


def check(connection: Connection) -> Health:
    """Check that every primary answers, may be read, and would take the bot's writes.

    Raises RedisUnreachable or LoginRefused if there is no connection.
    """
    connection.connect()
    untold = None
    try:
        nodes, silent = connection.answering()
    except ClusterUntold as error:
        nodes, silent, untold = [connection.reader()], [], error
    checks = [each for node in nodes for each in _checks(node)]
    checks += [Check(f"{address} answers", False, 0.0, "it does not") for address in silent]
    if untold is not None:
        checks.append(Check("all primaries are known", False, 0.0, untold.message))
    elif not silent and (unserved := _unserved(connection)):
        detail = f"nobody serves {slots.ranges_text(unserved)}"
        checks.append(Check("every slot is served", False, 0.0, detail))
    return Health(all(each.ok for each in checks), connection.target.url, checks)


def _unserved(connection: Connection) -> frozenset[int]:
    """Return the slots of a cluster that none of its primaries owns."""
    cluster = connection.resolved()
    if not cluster.is_cluster:
        return frozenset()
    return frozenset(range(slots.SLOTS)) - cast("Cluster", cluster).view().covered


def _checks(node: Node) -> list[Check]:
    return [
        _asked(f"{node} answers", node, "PING"),
        _asked(f"{node} may be read", node, "SCAN", "0", "MATCH", f"{SESSION_PREFIX}*"),
        _writable(node),
    ]


def _asked(name: str, node: Node, *command: str) -> Check:
    begun = time.perf_counter()
    try:
        node.call(*command)
        ok, detail = True, ""
    except PawsctlError as error:
        ok, detail = False, error.message
    return Check(name, ok, time.perf_counter() - begun, detail)


def _writable(node: Node) -> Check:
    """Check, without a write, that the node would accept the bot's next save.

    The bot's own command is sent with a TTL of 0: Redis checks the user's permissions, memory, disk
    and role first, and refuses it for the TTL only if nothing else is wrong.
    """
    name = f"{node} takes writes"
    begun = time.perf_counter()
    try:
        reply = _refusal(node)
        reason = "" if has_code(reply, "ERR") and "expire" in reply.text else _reason(node, reply)
        if not reason and _info(node).get("role") == "slave":
            # A writable replica: its writes are lost with the next synchronisation.
            reason = "it is a replica"
    except PawsctlError as error:
        reason = error.message
    return Check(name, not reason, time.perf_counter() - begun, reason)


def _refusal(node: Node) -> Any:
    """Return the reply to a SETEX with a TTL of 0, for a key that belongs to this node."""
    reply = _refused_for(node, lambda _slot: True)
    if not has_code(reply, "MOVED", "ASK", "TRYAGAIN"):
        return reply
    lines = slots.members(node.call("CLUSTER", "NODES"), Address("", 0))
    own = next(each for each in lines if "myself" in each.flags)
    stay = own.slots - own.leaving.keys()
    return _refused_for(node, stay.__contains__) if stay else reply


def _refused_for(node: Node, fits: Callable[[int], bool]) -> Any:
    while True:
        key = session_key(nobodys_phone())
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
        # It has answered before: a proxy closes the connection on an unknown command.
        return {}
    return {} if isinstance(reply, ErrorReply) else info_fields(reply)
