"""The failover drill: fail a primary while sessions are written, and measure the cost."""

import time
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version

from msgspec import Struct

from pawsctl.config.redis_url import parse
from pawsctl.config.settings import StackSettings
from pawsctl.config.target import Target
from pawsctl.connection import Timeouts, connect
from pawsctl.connection.cluster.slots import slot_of
from pawsctl.errors import OperationFailed, UsageError
from pawsctl.sessions.contract.keyspace import Keyspace
from pawsctl.stack import lifecycle
from pawsctl.stack.engine.choose import engine_of
from pawsctl.stack.engine.protocol import Engine
from pawsctl.stack.engine.rollback import uninterrupted
from pawsctl.stack.events import Changing, Emit, EngineName, Waiting
from pawsctl.stack.plan import check_in_place
from pawsctl.stack.project import layout, project
from pawsctl.stack.project.layout import Topology
from pawsctl.stack.project.project import Project
from pawsctl.stack.topology import as_it_runs, fail_over
from pawsctl.stack.topology.timer import Timer, set_timer, timer_of
from pawsctl.stack.topology.view import TopologyView
from pawsctl.workflows.failover_primary import Method, change_primary, poll_until
from pawsctl.workflows.failover_writers import FailoverWriter, delete, lost

# Seconds of writing before the failure and after the recovery.
_LEAD = 0.5
_CONNECT_TIMEOUT = 0.5
_REPLY_TIMEOUT = 1.0


class Writes(Struct, frozen=True):
    """The numbers of writes acknowledged, failed (refused or not sent), and of unknown outcome.

    A write waits for the next primary before it fails, so an outage need not make any fail. The
    outcome is unknown if the primary died before it answered.
    """

    acknowledged: int
    failed: int
    uncertain: int


class Drill(Struct, frozen=True):
    """The cost of a failover, which began at `begun_at`. Times in seconds.

    `outage` is the longest time between two acknowledged writes to the keys of `primary`, so it
    begins with the last one before the failure; `outage_elsewhere` is the same for the other
    primaries of a cluster, null if there are none. `promoted_after` is from the failure until all
    nodes name another primary: writes may go on a little earlier, once that one takes them. A
    killed primary counts as dead once it was silent for as long as `timer` says. `lost` counts the
    sessions that were acknowledged and are missing or differ; `ok` means none. `server` is what
    the failed primary ran, `pawsctl` the version that measured.
    """

    ok: bool
    begun_at: datetime
    server: str
    pawsctl: str
    engine: EngineName
    url: str
    topology: Topology
    method: Method
    primary: str
    promoted: str
    promoted_after: float
    outage: float
    outage_elsewhere: float | None
    timer: Timer
    writes: Writes
    lost: int


def failover(
    settings: StackSettings,
    topology: Topology,
    *,
    keyspace: Keyspace,
    method: Method,
    silence: float | None,
    timeout: float,
    emit: Emit,
) -> Drill:
    """Kill or demote a primary of a topology on this machine while sessions are written.

    Afterwards the topology is restored with the old primary as a replica, and the sessions are
    deleted. `silence` is the seconds of the topology's timer meanwhile; None leaves it as it is.
    `timeout` is the seconds to wait for the promotion beyond that, and for the recovery. Raises
    UsageError if a hash tag puts all sessions on one primary, OperationFailed if the topology is
    not complete at the start, Conflict if a server's folder was moved away, TimedOut, NoEngine.
    """
    _require_spread(keyspace, topology)
    here = project.load(settings, topology)
    engine = engine_of(here, emit)
    check_in_place(engine)
    services = engine.status()
    as_it_runs.check_ports(here, services)
    before = as_it_runs.view(here, services)
    _check_whole(here, before)
    usual = timer_of(here)
    emit(Changing())
    try:
        if silence is not None:
            set_timer(here, silence)
            timeout += silence
        return _drill(
            here, engine, before, keyspace=keyspace, method=method, timeout=timeout, emit=emit
        )
    finally:
        if silence is not None:
            with uninterrupted():
                set_timer(here, usual.seconds)


def _drill(
    here: Project,
    engine: Engine,
    before: TopologyView,
    *,
    keyspace: Keyspace,
    method: Method,
    timeout: float,
    emit: Emit,
) -> Drill:
    topology, timer = here.topology, timer_of(here)
    primary = fail_over.chosen(here, before)
    url = layout.url(topology, here.stack)
    target = parse(url, origin="the project's settings").with_login(None, here.password)
    writers = _writers(target, keyspace, before, primary, timeout)
    try:
        # Interrupted, the start of a thread could leave locked what its end waits for.
        with uninterrupted():
            for each in writers:
                each.start()
        time.sleep(_LEAD)
        begun_at = datetime.now(UTC)
        try:
            promoted, promoted_after = change_primary(
                here, engine, before, primary, method=method, timeout=timeout, emit=emit
            )
            _await_writes(writers, timeout)
        finally:
            with uninterrupted():
                emit(Waiting("all is whole again"))
                # Without events: the engine was reported above.
                lifecycle.start(here.settings, topology, timeout=timeout, emit=lambda _event: None)
        time.sleep(_LEAD)
    finally:
        with uninterrupted():
            missing = _count_lost(target, writers, timeout)
    affected, *others = writers
    return Drill(
        ok=missing == 0,
        begun_at=begun_at,
        server=before.nodes[primary].server,
        pawsctl=version("pawsctl"),
        engine=engine.name,
        url=url,
        topology=topology,
        method=method,
        primary=primary,
        promoted=promoted,
        promoted_after=promoted_after,
        outage=affected.longest_silence(),
        outage_elsewhere=others[0].longest_silence() if others else None,
        timer=timer,
        writes=Writes(
            acknowledged=sum(len(each.acknowledged) for each in writers),
            failed=sum(len(each.failed) for each in writers),
            uncertain=sum(len(each.uncertain) for each in writers),
        ),
        lost=missing,
    )


def _require_spread(keyspace: Keyspace, topology: Topology) -> None:
    """Raise UsageError if a hash tag puts all sessions of a cluster on one of its primaries."""
    if topology == "cluster" and keyspace.hash_tag:
        raise UsageError(
            f"A drill on a cluster writes sessions to all of its primaries, and the hash tag in "
            f"{keyspace.prefix} puts them all on one.",
            hint="Practise it with a SESSION_PREFIX without { and }.",
        )


def _check_whole(here: Project, view: TopologyView) -> None:
    if view.problems:
        raise OperationFailed(
            f"The {here.topology} topology is not whole: {'; '.join(view.problems)}.",
            hint=f"Bring it up with 'pawsctl redis up{here.hint}'.",
        )


def _writers(
    target: Target, keyspace: Keyspace, view: TopologyView, primary: str, timeout: float
) -> list[FailoverWriter]:
    """Return a writer for the primary that fails and, in a cluster, one for the others."""
    timeouts = Timeouts(connect=_CONNECT_TIMEOUT, reply=_REPLY_TIMEOUT, failover=timeout)
    open_one = partial(connect, target, timeouts)
    if target.kind != "cluster":
        return [FailoverWriter(open_one, keyspace)]
    slots = view.nodes[primary].slots
    return [
        FailoverWriter(open_one, keyspace, lambda key: slot_of(key) in slots),
        FailoverWriter(open_one, keyspace, lambda key: slot_of(key) not in slots),
    ]


def _await_writes(writers: list[FailoverWriter], timeout: float) -> None:
    for writer in writers:
        seen = len(writer.times)
        poll_until(
            partial(_has_more, writer, seen), timeout, "Writes were not acknowledged any more"
        )


def _has_more(writer: FailoverWriter, seen: int) -> bool:
    return len(writer.times) > seen


def _count_lost(target: Target, writers: list[FailoverWriter], timeout: float) -> int:
    """Stop the writers, return how many sessions are lost, and delete the sessions."""
    for each in writers:
        each.stop()
    for each in writers:
        with suppress(RuntimeError):
            each.join(timeout)
    with connect(target, Timeouts(failover=timeout)) as connection:
        try:
            return lost(connection, writers)
        finally:
            delete(connection, writers)
