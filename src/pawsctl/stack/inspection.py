"""What looks at the stack and changes nothing: status, logs, and a redis-cli."""

import os
import subprocess
from collections.abc import Callable, Collection, Iterator, Sequence

from pawsctl.errors import UsageError
from pawsctl.settings import StackSettings
from pawsctl.stack import forming, layout, project, wire
from pawsctl.stack.choice import engine_of
from pawsctl.stack.engine import Emit, LogLine, LogQuery, ServiceStatus
from pawsctl.stack.layout import Topology
from pawsctl.stack.project import REDIS, Project
from pawsctl.stack.results import Keys, Memory, StackStatus

_AT_REST = ("absent", "created", "exited")
_NOT_THERE = "Redis does not answer; start it with 'pawsctl redis up'."
_WAY_IN = "set REDIS_PASSWORD to the password it was started with, or 'pawsctl redis up'"
_REFUSED = f"Redis runs and refuses the login: {_WAY_IN} to start it anew with this one."
_ASKED = f"Redis runs and asks for a password: {_WAY_IN} to start it anew without one."


def status(settings: StackSettings, *, emit: Emit) -> StackStatus:
    """What runs of the single Redis. Raises NoEngine where that can't be known."""
    here = project.load(settings)
    engine = engine_of(here, emit)
    services = engine.status()
    told, problem = _told(here, services)
    if all(each.state in _AT_REST for each in services if each.service == REDIS):
        obstacle = engine.obstacle()
        if obstacle:
            problem = f"Redis does not run. {obstacle.message} {obstacle.hint}"
    where = url(here, services) or layout.url("single", here.stack)
    return StackStatus(engine.name, where, services, _memory(told), _keys(told), problem)


def logs(
    settings: StackSettings,
    services: Collection[str],
    query: LogQuery,
    topology: Topology = "single",
    *,
    emit: Emit,
) -> Iterator[LogLine]:
    """Lines of these services, of all where none is named.

    Raises UsageError for a service that does not exist in the compose file, OperationFailed for one
    that has no container.
    """
    here = project.load(settings, topology)
    known = [each.key for each in here.stack.services]
    for each in services:
        if each not in known:
            raise UsageError(
                f"There is no service '{each}'.", hint=f"The services are {', '.join(known)}."
            )
    return engine_of(here, emit).logs(services, query)


def client(
    settings: StackSettings,
    arguments: Sequence[str],
    *,
    terminal: bool,
    emit: Emit,
    write: Callable[[bytes], None] | None = None,
) -> int:
    """Run a redis-cli that is logged in to this project's Redis, and return its exit status.

    Its input and output are ours; `terminal` says whether those are a terminal's. `write` is given
    each line of its output instead. Raises OperationFailed where Redis does not run or no redis-cli
    is to be had.
    """
    here = project.load(settings)
    command = engine_of(here, emit).client(arguments, terminal=terminal)
    environment = {**os.environ, **command.environment}
    output = subprocess.PIPE if write else None
    with subprocess.Popen(command.arguments, env=environment, stdout=output) as process:  # noqa: S603
        try:
            for line in process.stdout or ():
                if write:
                    write(line)
            status = process.wait()
        except BaseException:
            process.kill()
            raise
    # Ended by a signal, as a shell tells it.
    return status if status >= 0 else 128 - status


def url(here: Project, services: Sequence[ServiceStatus]) -> str | None:
    """Where clients of what runs begin; None where nothing does."""
    if here.topology == "single":
        port = port_of(REDIS, services)
        return f"redis://127.0.0.1:{port}" if port else None
    is_up = any(each.state == "running" for each in services)
    return layout.url(here.topology, here.stack) if is_up else None


def held(here: Project, services: Sequence[ServiceStatus]) -> Keys | None:
    """How many keys there are, by what answers; None where nothing does."""
    if here.topology == "single":
        return _keys(_told(here, services)[0])
    primaries = [each for each in forming.view(here).nodes.values() if each.role == "primary"]
    if not primaries:
        return None
    return Keys(
        total=sum(each.keys for each in primaries),
        expiring=sum(each.expiring for each in primaries),
    )


def used(here: Project, service: str, services: Sequence[ServiceStatus]) -> int:
    """The bytes that a server uses by its own words; 0 where it does not say."""
    told, _ = _told(here, services, service)
    return int(told.get("used_memory", "0"))


def port_of(service: str, services: Sequence[ServiceStatus]) -> int | None:
    """The port of this machine that leads to it: not the settings', should they have changed."""
    for each in services:
        if each.service == service and each.ports:
            return int(each.ports[0].partition("->")[0].rpartition(":")[2])
    return None


def _told(
    here: Project, services: Sequence[ServiceStatus], service: str = REDIS
) -> tuple[dict[str, str], str | None]:
    """The fields of INFO of a Redis that `services` tell of, and why there are none."""
    port = port_of(service, services)
    if not port:
        return {}, _NOT_THERE
    try:
        info = wire.info(port, here.password)
    except wire.LoginRefused:
        return {}, _REFUSED if here.password else _ASKED
    if not info and (state := wire.ping(port, here.password)).startswith("DENIED"):
        return {}, f"Redis runs and refuses: {state.partition('. ')[0]}."
    return info, None if info else _NOT_THERE


def _memory(info: dict[str, str]) -> Memory | None:
    if "used_memory" not in info:
        return None
    return Memory(
        used=int(info["used_memory"]),
        peak=int(info["used_memory_peak"]),
        maximum=int(info["maxmemory"]),
    )


def _keys(info: dict[str, str]) -> Keys | None:
    return Keys(*wire.keys(info)) if info else None
