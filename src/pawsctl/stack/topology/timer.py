"""The timer of a topology: how long a primary is silent before it counts as dead."""

from contextlib import suppress

from msgspec import Struct

from pawsctl.connection import info_reply, probe
from pawsctl.errors import OperationFailed
from pawsctl.stack.project import layout
from pawsctl.stack.project.layout import SENTINEL_SERVICE
from pawsctl.stack.project.project import Project

_SENTINEL, _CLUSTER = "down-after-milliseconds", "cluster-node-timeout"
# Redis's defaults, which production has; the topologies here are quicker.
_PRODUCTION = {_SENTINEL: 30.0, _CLUSTER: 15.0}


class Timer(Struct, frozen=True):
    """The setting's name, the seconds it has here, and those that production has."""

    name: str
    seconds: float
    production: float


def timer_of(project: Project) -> Timer:
    """Return the timer, as the first node that answers has it. Raises OperationFailed if none."""
    name, ports = _place(project)
    is_cluster = name == _CLUSTER
    ask = ("CONFIG", "GET", name) if is_cluster else ("SENTINEL", "MASTER", SENTINEL_SERVICE)
    for port in ports:
        with suppress(probe.Refused, OSError):
            (reply,) = probe.ask(port, _password(project), ask)
            words = [info_reply.text(each) for each in reply]
            milliseconds = dict(zip(words[::2], words[1::2], strict=True))[name]
            return Timer(name, int(milliseconds) / 1000, _PRODUCTION[name])
    raise OperationFailed(
        f"No node of the {project.topology} topology tells its {name}.",
        hint=f"See 'pawsctl redis status{project.hint}'.",
    )


def set_timer(project: Project, seconds: float) -> None:
    """Set the timer on every node that answers, until it is restarted or set again."""
    name, ports = _place(project)
    where = ("CONFIG", "SET") if name == _CLUSTER else ("SENTINEL", "SET", SENTINEL_SERVICE)
    for port in ports:
        with suppress(OSError):
            probe.ask(port, _password(project), (*where, name, round(seconds * 1000)))


def _place(project: Project) -> tuple[str, list[int]]:
    """Return the name of the setting, and the ports of the nodes that have it."""
    if project.topology == "cluster":
        return _CLUSTER, list(layout.redis_ports(project.stack))
    return _SENTINEL, list(layout.sentinel_ports(project.stack))


def _password(project: Project) -> str | None:
    return project.password if project.topology == "cluster" else None
