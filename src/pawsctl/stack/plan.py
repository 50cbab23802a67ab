"""Shared parts of the operations on the stack: the lock and the plan."""

import dataclasses
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager

from msgspec.structs import replace

from pawsctl import sizes
from pawsctl.config.settings import StackSettings
from pawsctl.stack import status
from pawsctl.stack.engine import diff
from pawsctl.stack.engine.protocol import Engine, Plan, Pull, ServiceUp
from pawsctl.stack.events import Emit, Event, Ready, Recreating, Shrinking
from pawsctl.stack.project import mounted_files
from pawsctl.stack.project.layout import Topology
from pawsctl.stack.project.lock import locked
from pawsctl.stack.project.project import REDIS, Project
from pawsctl.stack.topology import form


def exclusively(
    settings: StackSettings, topology: Topology, timeout: float, emit: Emit
) -> AbstractContextManager[None]:
    """Return the project's lock, to be held while files are rendered and services changed.

    Without it another call could remove files that this one has just rendered.
    """
    directory = mounted_files.state_directory(settings.project, topology)
    return locked(directory, deadline=time.monotonic() + timeout, emit=emit)


def check_in_place(engine: Engine) -> None:
    """Raise Conflict if the folder of a running server was moved away."""
    if misplaced := engine.misplaced():
        raise misplaced.with_context(after="Nothing was changed.")


def plan_for(
    here: Project,
    engine: Engine,
    services: Sequence[str],
    *,
    timeout: float,
    pull: Pull,
    emit: Emit,
) -> Plan:
    """Return the plan for these services and any others that exist."""
    wanted = {*services, *existing_services(engine)}
    return Plan(
        services=[each.key for each in here.stack.services if each.key in wanted],
        probes=here.probes(),
        timeout=timeout,
        pull=pull,
        emit=_warning(here, engine, emit),
        form=form.form_of(here, emit, timeout=timeout),
    )


def carry_out(plan: Plan, here: Project, engine: Engine) -> tuple[ServiceUp, ...]:
    """Bring up the planned services, and delete rendered files that they do not mount."""
    begun = time.monotonic()
    answered: dict[str, float] = {}

    def timed(event: Event) -> None:
        if isinstance(event, Ready):
            answered[event.service] = time.monotonic() - begun
        plan.emit(event)

    done = engine.up(dataclasses.replace(plan, emit=timed))
    mounted_files.forget_all_but(here.redis.files[0].source.parent, here.directory)
    return tuple(replace(each, seconds=answered.get(each.service, 0.0)) for each in done)


def _warning(here: Project, engine: Engine, emit: Emit) -> Emit:
    """Wrap `emit`: warn before a server gets a memory limit below its current use."""

    def told(event: Event) -> None:
        if isinstance(event, Recreating) and diff.MAXMEMORY in event.changed:
            limit = sizes.in_bytes(here.settings.redis_maxmemory)
            used = status.used_memory(here, event.service, engine.status())
            if used > limit > 0:
                emit(Shrinking(event.service, used, limit))
        emit(event)

    return told


def main_services(here: Project) -> list[str]:
    """Return the services that `up` starts by default: Redis, or all servers of a topology."""
    return [REDIS] if here.topology == "single" else [each.key for each in here.servers]


def existing_services(engine: Engine) -> list[str]:
    """Return the names of the services that exist, running or not."""
    return [each.service for each in engine.status() if each.state != "absent"]
