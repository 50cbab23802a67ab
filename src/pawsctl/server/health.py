"""Whether the Redis behind a URL can do the bot's work now: asked, not guessed."""

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
    """One question and its answer; `seconds` is how long that took."""

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
    """Ask every primary whether it answers, takes our reads, and would take the bot's writes.

    Raises RedisUnreachable and LoginRefused where there is no one to ask.
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
    """The slots of a cluster that none of its primaries owns."""
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
    """Whether the bot's next save would be taken, found out without a write.

    The bot's own command is sent with a TTL of 0: Redis looks at the user's permissions, at memory,
    disk and role first, and refuses it for the TTL where nothing else stands against it.
    """
    name = f"{node} takes writes"
    begun = time.perf_counter()
    try:
        reply = _refusal(node)
        reason = "" if has_code(reply, "ERR") and "expire" in reply.text else _reason(node, reply)
        if not reason and _info(node).get("role") == "slave":
            # One that may be written to: what it takes is lost with the next synchronisation.
            reason = "it is a replica"
    except PawsctlError as error:
        reason = error.message
    return Check(name, not reason, time.perf_counter() - begun, reason)


def _refusal(node: Node) -> Any:
    """The reply to a SETEX that can't succeed, of a key that belongs to this node."""
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
    """Why a write is refused, in few words."""
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
    """What the server says of itself; nothing where this user, or through a proxy, may not ask."""
    try:
        reply = node.pipeline([("INFO",)])[0]
    except RedisUnreachable:
        # It has answered before: a proxy hangs up at what it does not know.
        return {}
    return {} if isinstance(reply, ErrorReply) else info_fields(reply)
