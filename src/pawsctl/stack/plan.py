"""Shared parts of the operations on the stack: the lock, the plan, the message for Ctrl-C."""

import dataclasses
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Literal

from msgspec.structs import replace

from pawsctl import sizes
from pawsctl.config.settings import StackSettings
from pawsctl.errors import Interrupted
from pawsctl.stack import status
from pawsctl.stack.engine import diff
from pawsctl.stack.engine.protocol import Engine, Plan, Pull, ServiceUp
from pawsctl.stack.events import AllUp, Emit, Ends, Event, Ready, Recreating, Shrinking
from pawsctl.stack.project import layout, mounted_files
from pawsctl.stack.project.layout import Topology
from pawsctl.stack.project.lock import locked
from pawsctl.stack.project.project import REDIS, Project
from pawsctl.stack.topology import form


@contextmanager
def told_start_is_undone(topology: Topology) -> Iterator[None]:
    """Turn Ctrl-C into Interrupted, which says that all was undone and how to begin again."""
    try:
        yield
    except KeyboardInterrupt as error:
        raise Interrupted(
            "Interrupted: what was begun is undone.",
            hint=f"'pawsctl redis start{layout.option(topology)}' starts it.",
        ) from error


@contextmanager
def told_what_ended(
    done: Literal["stopped", "removed", "deleted"], topology: Topology, emit: Emit
) -> Iterator[Emit]:
    """Yield `emit`; turn Ctrl-C into Interrupted, which says whether anything was ended before."""
    has_begun = False

    def seen(event: Event) -> None:
        nonlocal has_begun
        if isinstance(event, Ends):
            has_begun = True
        else:
            emit(event)

    try:
        yield seen
    except KeyboardInterrupt as error:
        option = layout.option(topology)
        if not has_begun:
            raise Interrupted(
                f"Interrupted before anything was {done}.",
                hint=f"'pawsctl redis status{option}' shows how it is.",
            ) from error
        raise Interrupted(
            f"Interrupted: what was {done} stays {done}.",
            hint=f"'pawsctl redis {'start' if done == 'stopped' else 'up'}{option}' starts it.",
        ) from error


@contextmanager
def told_if_up(topology: Topology, emit: Emit) -> Iterator[Emit]:
    """Yield `emit`; turn a Ctrl-C that comes when all services are up into Interrupted.

    Before that, all is undone, and Ctrl-C says enough.
    """
    is_up = False

    def seen(event: Event) -> None:
        nonlocal is_up
        is_up |= isinstance(event, AllUp)
        emit(event)

    try:
        yield seen
    except KeyboardInterrupt as error:
        if not is_up:
            raise
        raise Interrupted(
            "Interrupted when all was done: the services are up.",
            hint=f"'pawsctl redis status{layout.option(topology)}' shows them.",
        ) from error


def exclusively(
    settings: StackSettings, topology: Topology, timeout: float, emit: Emit
) -> AbstractContextManager[None]:
    """Return the project's lock, to be held while files are rendered and services changed.

    Without it another call could remove files that this one has just rendered.
    """
    directory = mounted_files.state_directory(settings.project, topology)
    return locked(directory, deadline=time.monotonic() + timeout, emit=emit)


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
