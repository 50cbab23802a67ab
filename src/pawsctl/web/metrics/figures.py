"""One pass over Redis for the metrics: its health, its servers and its sessions."""

import time
from collections.abc import Callable
from typing import cast

import msgspec

from pawsctl.connection import Connection
from pawsctl.errors import PawsctlError
from pawsctl.server import health, node_state
from pawsctl.server.health import Health
from pawsctl.server.node_state import NodeState
from pawsctl.sessions.contract.keyspace import Keyspace
from pawsctl.sessions.stats import counts
from pawsctl.sessions.stats.counts import Counts
from pawsctl.sessions.store.reader import SessionReader

# Seconds for reading sessions; beyond some hundred thousand of them, the rest is not counted.
_SESSION_SECONDS = 5.0


class Figures(msgspec.Struct, frozen=True):
    """The result of a pass that began at `begun` (seconds since the epoch) and took `seconds`.

    What could not be asked is None, and `error` says why. `checks` are kinds of health checks, and
    whether all of that kind succeeded.
    """

    begun: float
    seconds: float
    error: str
    checks: dict[str, bool]
    nodes: list[NodeState]
    sessions: Counts | None


def gather(connect: Callable[[], Connection], keyspace: Keyspace) -> Figures:
    """Make a pass on a connection of its own."""
    begun, clock = time.time(), time.perf_counter()
    nodes, sessions, error = list[NodeState](), None, ""
    checks: dict[str, bool] = {}
    try:
        with connect() as connection:
            found = health.check(connection, keyspace)
            checks = _by_kind(found, connection)
            nodes = node_state.states(connection)
            reader = SessionReader(connection, keyspace=keyspace, partial=True)
            sessions = counts.count(reader, _SESSION_SECONDS)
    except PawsctlError as failure:
        error = failure.message
    return Figures(
        begun=begun,
        seconds=time.perf_counter() - clock,
        error=error,
        checks=checks,
        nodes=nodes,
        sessions=sessions,
    )


def _by_kind(found: Health, connection: Connection) -> dict[str, bool]:
    """Return for each kind of check whether all of it succeeded; a primary unknown answers not."""
    names = cast("dict[str, str]", health.NAMES)
    result: dict[str, bool] = {}
    for check in found.checks:
        kind = next(
            (kind for kind, words in names.items() if check.name.endswith(words)), "answers"
        )
        result[kind] = result.get(kind, True) and check.ok
    # The report has these only if they fail.
    if connection.resolved().is_cluster:
        result.setdefault("slots", result.get("answers", False))
    if connection.target.kind == "sentinel":
        result.setdefault("failover", True)
    return result
