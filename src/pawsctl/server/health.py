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
    is_about_the_command,
    refused,
)
from pawsctl.connection.cluster import slots
from pawsctl.errors import HungUp, PawsctlError, ReadOnly, RedisUnreachable, UsageError
from pawsctl.sessions.contract.keyspace import Keyspace

if TYPE_CHECKING:
    from pawsctl.connection.cluster.client import Cluster


Kind = Literal["answers", "reads", "writes", "slots", "failover"]
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
    checked. Raises RedisUnreachable or LoginRefused if there is no connection, UsageError if the
    slots of a cluster or the Sentinels' failover are asked for and there are none.
    """
    connection.key_prefix = keyspace.prefix
    connection.connect()
    untold = None
    try:
        nodes, silent = connection.answering()
    except ClusterUntold as error:
        nodes, silent, untold = [connection.reader()], [], error
    kinds = _without_writes(connection.target, only)
    _require_kind(connection, only)
    checks = [each for node in nodes for each in _checks(node, keyspace, kinds)]
    checks += [Check(f"{address} answers", False, 0.0, SILENT) for address in silent]
    if untold is not None:
        checks.append(Check("all primaries are known", False, 0.0, untold.message))
    elif not silent and "slots" in (only or KINDS) and connection.resolved().is_cluster:
        unserved = _unserved(connection)
        detail = f"nobody serves {slots.ranges_text(unserved)}" if unserved else ""
        if unserved or only:
            checks.append(Check(_SLOTS, not unserved, 0.0, detail))
    if connection.target.kind == "sentinel" and "failover" in (only or KINDS):
        checks += _failover(connection, is_asked=bool(only))
    return Health(all(each.ok for each in checks), connection.target.url, checks)


def _require_kind(connection: Connection, only: Collection[Kind]) -> None:
    """Raise UsageError for a check that this kind of Redis can't have."""
    url = connection.target.url
    if "slots" in only and not connection.resolved().is_cluster:
        raise UsageError(
            f"{url} has no slots to check: it is no cluster.", hint="Leave --only slots out."
        )
    if "failover" in only and connection.target.kind != "sentinel":
        raise UsageError(
            f"{url} names no Sentinels, which would begin a failover.",
            hint="Leave --only failover out.",
        )


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
_FAILOVER = "the Sentinels can begin a failover"
_OF_A_NODE: dict[Kind, str] = {
    "answers": "answers",
    "reads": "may be read",
    "writes": "takes writes",
}
NAMES: dict[Kind, str] = {**_OF_A_NODE, "slots": _SLOTS, "failover": _FAILOVER}


def _unserved(connection: Connection) -> frozenset[int]:
    """Return the slots of a cluster that none of its primaries owns."""
    cluster = cast("Cluster", connection.resolved())
    return frozenset(range(slots.SLOTS)) - cluster.view().covered


def _failover(connection: Connection, *, is_asked: bool) -> Iterator[Check]:
    """Check that enough Sentinels answer; a success is shown only if it `is_asked`.

    That this user may not ask them fails only then, too: the bot does not need it.
    """
    begun = time.perf_counter()
    fault = connection.quorum_fault()
    if fault or is_asked:
        detail = "this user may not ask the Sentinels" if fault is None else fault
        yield Check(_FAILOVER, not detail, time.perf_counter() - begun, detail)


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
        if has_code(reply, "NOPERM"):
            # To refuse is to answer: what the bot sends is looked at by the other checks.
            detail = "this user may not send PING"
            return Check(name, True, time.perf_counter() - begun, detail), True
        is_ready = not has_code(reply, "LOADING", "MASTERDOWN", "BUSY")
        detail = refused(reply).message if isinstance(reply, ErrorReply) else ""
    except PawsctlError as error:
        detail, is_ready = error.message, False
    return Check(name, not detail, time.perf_counter() - begun, detail), is_ready


def _readable(name: str, node: Node, keyspace: Keyspace) -> Check:
    """Check that the bot's GET is answered, and say if sessions can't be listed with SCAN."""
    begun = time.perf_counter()
    is_ok, detail = False, ""
    try:
        reply = node.pipeline([("GET", keyspace.nobodys_key())])[0]
        if isinstance(reply, ErrorReply) and not _is_of_another_node(reply):
            is_not_allowed = has_code(reply, "NOPERM")
            detail = "this user may not read sessions" if is_not_allowed else refused(reply).message
        else:
            is_ok, detail = _listable(node, keyspace)
    except PawsctlError as error:
        detail = error.message
    return Check(name, is_ok, time.perf_counter() - begun, detail)


def _listable(node: Node, keyspace: Keyspace) -> tuple[bool, str]:
    """Return whether SCAN works, or is only not to be had; and why it does not."""
    try:
        reply = node.pipeline([("SCAN", "0", "MATCH", keyspace.pattern())])[0]
    except HungUp:
        # What has gone altogether does not answer this either.
        node.pipeline([("PING",)])
        return True, "each session by itself: a proxy before it hangs up at SCAN"
    if not isinstance(reply, ErrorReply):
        return True, ""
    if is_about_the_command(reply):
        return True, "each session by itself: SCAN is refused, so that none can be listed"
    return False, refused(reply).message


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
    if not _is_of_another_node(reply):
        return reply
    if keyspace.hash_tag:
        return None if has_code(reply, "MOVED") else reply
    lines = slots.members(node.call("CLUSTER", "NODES"), Address("", 0))
    own = next(each for each in lines if "myself" in each.flags)
    stay = own.slots - own.leaving.keys()
    return _refused_for(node, keyspace, stay.__contains__) if stay else reply


def _is_of_another_node(reply: Any) -> bool:
    """Return whether a node refuses a key only since its slot is another node's, or nobody's."""
    return has_code(reply, "MOVED", "ASK", "TRYAGAIN") or (
        has_code(reply, "CLUSTERDOWN") and "slot not served" in reply.text
    )


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
