"""The status of this project's single Redis: its services, memory and keys."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from pawsctl.config.settings import StackSettings
from pawsctl.connection import info_reply, probe
from pawsctl.stack.engine import wait
from pawsctl.stack.engine.choose import engine_of
from pawsctl.stack.engine.protocol import ServiceStatus
from pawsctl.stack.events import Emit, EngineName
from pawsctl.stack.project import layout, project
from pawsctl.stack.project.project import REDIS, Project
from pawsctl.stack.topology import as_it_runs


class StackMemory(Struct, frozen=True):
    """Memory in bytes, from INFO; `maximum` 0 is no limit."""

    used: int
    peak: int
    maximum: int


class Keys(Struct, frozen=True):
    """The number of keys in all databases, and of those that expire."""

    total: int
    expiring: int


class StackStatus(Struct, frozen=True):
    """The status of the single Redis and Redis Commander.

    `memory` and `keys` are null if Redis does not answer, or loads its data; `problem` then says
    why, and what to do. It also says if Redis can't save, is a replica, or runs on another port
    than the setting's.
    """

    engine: EngineName
    url: str
    services: tuple[ServiceStatus, ...]
    memory: StackMemory | None
    keys: Keys | None
    problem: str | None

    @property
    def is_running(self) -> bool:
        """Whether Redis runs, answers, and is not known to take no writes."""
        return self.problem == _UNTOLD or (self.memory is not None and not self._takes_no_writes)

    @property
    def has_ways_out(self) -> bool:
        """Whether `problem` says what helps, or what may tell; `up` may not help."""
        known = (_REFUSED, _ASKED, _LOADING, *_SILENT.values())
        return self.problem in known or self._takes_no_writes

    @property
    def _takes_no_writes(self) -> bool:
        return (self.problem or "").startswith(("Redis runs and refuses: ", _REPLICA))


_AT_REST = ("absent", "created", "exited")
_NOT_THERE = "Redis does not answer; start it with 'pawsctl redis up'."
_SILENT = {
    "restarting": "Redis ends each time that it is started; 'pawsctl redis logs' shows why.",
    "running": "Redis runs and does not answer; 'pawsctl redis logs' may say why.",
}
_NO_PORT = "Redis runs and publishes no port; 'pawsctl redis up' gives it one, or says why not."
_LOADING = "Redis is loading its data, and answers when it has: 'pawsctl redis up' waits for that."
_UNTOLD = (
    "Redis answers, and its user may not use INFO, which tells of its memory and keys. What a "
    "client has forbidden ends with 'pawsctl redis restart'."
)
_REPLICA = "Redis runs as a replica of "
_WAY_IN = "set REDIS_PASSWORD to the password it was started with, or 'pawsctl redis up'"
_SET_SINCE = "One that a client has set since ends with 'pawsctl redis restart'."
_REFUSED = (
    f"Redis runs and refuses the login: {_WAY_IN} to start it anew with this one. {_SET_SINCE}"
)
_ASKED = f"Redis runs and asks for a password: {_WAY_IN} to start it anew without one. {_SET_SINCE}"


def status(settings: StackSettings, *, emit: Emit) -> StackStatus:
    """Return the status of the single Redis. Raises NoEngine if there is no engine to ask."""
    here = project.load(settings)
    engine = engine_of(here, emit)
    services = engine.status()
    told, problem = _info(here, services)
    if misplaced := engine.misplaced():
        problem = f"{misplaced.message} {misplaced.hint}"
    elif all(each.state in _AT_REST for each in services if each.service == REDIS):
        obstacle = engine.obstacle()
        if obstacle:
            problem = f"Redis does not run. {obstacle.message} {obstacle.hint}"
    port = port_of(REDIS, services)
    if told and port not in (None, settings.redis_port):
        problem = (
            f"Redis runs on port {port}, and the setting is now {settings.redis_port}: set "
            f"REDIS_PORT back to {port}, or 'pawsctl redis up' moves Redis there."
        )
    where = url(here, services) or layout.url("single", here.stack)
    return StackStatus(engine.name, where, services, _memory(told), _keys(told), problem)


def url(here: Project, services: Sequence[ServiceStatus]) -> str | None:
    """Return the URL for clients of the running servers; None if none runs."""
    if here.topology == "single":
        port = port_of(REDIS, services)
        return f"redis://127.0.0.1:{port}" if port else None
    is_up = any(each.state == "running" for each in services)
    return layout.url(here.topology, as_it_runs.of(here, services).stack) if is_up else None


def key_count(here: Project, services: Sequence[ServiceStatus]) -> Keys | None:
    """Return the number of keys in the servers that answer; None if none does, or one loads."""
    if here.topology == "single":
        return _keys(_info(here, services)[0])
    nodes = as_it_runs.view(here, services).nodes.values()
    primaries = [each for each in nodes if each.role == "primary"]
    if not primaries or any(each.refusal.startswith("LOADING") for each in primaries):
        return None
    return Keys(
        total=sum(each.keys for each in primaries),
        expiring=sum(each.expiring for each in primaries),
    )


def used_memory(here: Project, service: str, services: Sequence[ServiceStatus]) -> int:
    """Return the memory in bytes that a server uses, from INFO; 0 if it does not answer."""
    told, _ = _info(here, services, service)
    return int(told.get("used_memory", "0"))


def port_of(service: str, services: Sequence[ServiceStatus]) -> int | None:
    """Return the port of this machine that leads to a service, as it runs, or None.

    It may differ from the settings if they have changed since.
    """
    return next((each.port for each in services if each.service == service), None)


def _info(
    here: Project, services: Sequence[ServiceStatus], service: str = REDIS
) -> tuple[dict[str, str], str | None]:
    """Return the INFO fields of a Redis in `services`, and the reason if there are none."""
    port = port_of(service, services)
    state, name = next(
        ((each.state, each.name) for each in services if each.service == service), ("absent", "")
    )
    silent = _SILENT.get(state, _NOT_THERE)
    if state == "paused":
        silent = f"Redis is paused; 'docker unpause {name}' continues it."
    if not port:
        return {}, _NO_PORT if state == "running" else silent
    try:
        info = probe.info(port, here.password)
    except probe.ProbeLoginRefused:
        return {}, _REFUSED if here.password else _ASKED
    if info.get("loading") == "1":
        # It tells what it has read so far, and that its append-only file is off.
        return {}, _LOADING
    return info, _problem(info, probe.ping(port, here.password), silent)


def _problem(info: Mapping[str, str], said: str, silent: str) -> str | None:
    """Return what is wrong with a Redis by its INFO fields and what `probe.ping` returned.

    `silent` is the reason if it answers neither.
    """
    refusal = wait.refusal("Redis", said)
    if refusal and (not info or said.startswith("MISCONF")):
        return f"{refusal.message} {refusal.hint}"
    if not info:
        return silent if said else _UNTOLD
    if info.get("role") == "slave":
        return (
            f"{_REPLICA}{info.get('master_host')}:{info.get('master_port')}, and takes no "
            "writes; 'pawsctl redis restart' makes it a primary again."
        )
    return None


def _memory(info: dict[str, str]) -> StackMemory | None:
    if "used_memory" not in info:
        return None
    return StackMemory(
        used=int(info["used_memory"]),
        peak=int(info["used_memory_peak"]),
        maximum=int(info["maxmemory"]),
    )


def _keys(info: dict[str, str]) -> Keys | None:
    return Keys(*info_reply.keys(info)) if info else None
