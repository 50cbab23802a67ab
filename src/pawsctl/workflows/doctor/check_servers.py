"""Check the servers: version, persistence, memory, clocks."""

import time
from collections.abc import Iterator

from pawsctl.connection import Connection, Node, info_fields, info_reply
from pawsctl.errors import PawsctlError
from pawsctl.server import memory
from pawsctl.workflows.doctor.finding import Finding, unless_refused

# Seconds; with a larger skew, lint would take a correct `updatedAt` for one in the future.
_MOST_SKEW = 60


def examine(connection: Connection) -> Iterator[Finding]:
    """Yield findings on the servers; what this user has no permission for is skipped."""
    try:
        for node in _awake(connection):
            yield from _server(node)
    except PawsctlError as error:
        yield unless_refused("server", error)
    yield from _memory(connection)
    yield from _clocks(connection)


def _server(node: Node) -> Iterator[Finding]:
    about = info_fields(node.call("INFO", "server"))
    kept = info_fields(node.call("INFO", "persistence"))
    told = info_reply.server(about)
    if "redis_version" not in about:
        detail = "what it answers to INFO names no version"
        yield Finding(f"{node} server", "skipped", detail, "Is it a Redis? See 'redis-cli INFO'.")
        return
    if kept.get("aof_last_write_status", "ok") != "ok":
        detail = f"{told}; it can't write its append-only file: what it acknowledges may be lost"
        yield Finding(f"{node} server", "failed", detail, "Make room on its disk; see its log.")
        return
    failed = [
        what
        for field, what in (
            ("rdb_last_bgsave_status", "its last snapshot failed"),
            ("aof_last_bgrewrite_status", "the last rewrite of its append-only file failed"),
        )
        if kept.get(field, "ok") != "ok"
    ]
    if failed:
        detail = f"{told}; {' and '.join(failed)}"
        hint = "Has its disk room, and its machine the memory to fork? See its log."
        yield Finding(f"{node} server", "warning", detail, hint)
    else:
        yield Finding(f"{node} server", "ok", told)


def _awake(connection: Connection) -> list[Node]:
    """Return the primaries that answer, each after a PING.

    What hangs up next does so at a command: a proxy that does not know it, and no dead server.
    """
    nodes = connection.answering()[0]
    for node in nodes:
        node.pipeline([("PING",)])
    return nodes


def _memory(connection: Connection) -> Iterator[Finding]:
    try:
        _awake(connection)
        found = memory.report(connection)
    except PawsctlError as error:
        yield unless_refused("memory", error)
        return
    for node in found.nodes:
        name = f"{node.node} memory"
        if node.warnings:
            yield Finding(name, "warning", "; ".join(node.warnings), "See 'pawsctl redis memory'.")
        elif node.used and node.limit:
            detail = f"{node.used / node.limit:.0%} of the limit is used, policy {node.policy}"
            yield Finding(name, "ok", detail)


def _clocks(connection: Connection) -> Iterator[Finding]:
    """Compare the servers' clocks with this machine's, by which sessions' ages are computed."""
    try:
        # One that does not answer is a finding of its own.
        for node in _awake(connection):
            yield _clock(node)
    except PawsctlError as error:
        yield unless_refused("clock", error)


def _clock(node: Node) -> Finding:
    seconds, microseconds = node.call("TIME")
    skew = time.time() - int(seconds) - int(microseconds) / 1e6
    name = f"{node} clock"
    if abs(skew) <= _MOST_SKEW:
        return Finding(name, "ok", "in sync with this machine")
    return Finding(
        name,
        "warning",
        f"{abs(skew):.0f} s {'behind' if skew > 0 else 'ahead of'} this machine's",
        "Set both by NTP: ages and dates in the future are told by this machine's clock.",
    )
