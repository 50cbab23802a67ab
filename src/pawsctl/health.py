"""Whether the Redis behind a URL can do the bot's work now: asked, not guessed."""

import time

import msgspec

from pawsctl.connection import Connection, Node
from pawsctl.errors import PawsctlError
from pawsctl.sessions.keys import SESSION_PREFIX


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
    checks = [each for node in connection.primaries() for each in _checks(node)]
    return Health(all(each.ok for each in checks), connection.target.url, checks)


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
    """By what the server says of itself: a check must not write into production."""
    name = f"{node} takes writes"
    begun = time.perf_counter()
    try:
        reply = node.call("INFO").decode("utf-8", "replace")
    except PawsctlError as error:
        # A user who may only look is no fault of the server.
        return Check(name, ok=True, seconds=time.perf_counter() - begun, detail=error.message)
    info = dict(line.split(":", 1) for line in reply.splitlines() if ":" in line)
    reason = _obstacle(info)
    return Check(name, not reason, time.perf_counter() - begun, reason)


def _obstacle(info: dict[str, str]) -> str:
    """Why writes would fail, or an empty text."""
    limit, used = int(info.get("maxmemory", "0")), int(info.get("used_memory", "0"))
    if info.get("role") == "slave":
        return "it is a replica"
    if info.get("loading") == "1":
        return "it is still loading its data"
    if info.get("maxmemory_policy") == "noeviction" and 0 < limit <= used:
        return "its memory is full, and its policy is noeviction"
    if info.get("aof_last_write_status", "ok") != "ok":
        return "it can't write its AOF to disk"
    return ""
