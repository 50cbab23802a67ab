"""The status of a topology: its servers, their roles, and its problems."""

from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import get_args

from msgspec import Struct

from pawsctl.config.settings import StackSettings
from pawsctl.connection.cluster.slots import ranges
from pawsctl.errors import PawsctlError
from pawsctl.stack import status as single_server
from pawsctl.stack.engine.choose import engine_of
from pawsctl.stack.engine.protocol import Engine, ServiceStatus
from pawsctl.stack.events import Emit, EngineName
from pawsctl.stack.project import layout, project
from pawsctl.stack.project.layout import Topology
from pawsctl.stack.project.project import Project
from pawsctl.stack.status import StackStatus
from pawsctl.stack.topology import as_it_runs
from pawsctl.stack.topology.view import Quorum, Role, TopologyNode, TopologyView


class Lag(Struct, frozen=True):
    """The lag of a replica: `bytes` of the stream, and `seconds` since it heard from its primary.

    `seconds` is null if it is not connected.
    """

    bytes: int
    seconds: int | None


class TopologyMember(Struct, frozen=True):
    """A service's status by its engine, and its own report if it answers.

    `primary` is the service of a replica's primary, `slots` are ranges such as `0-5460`.
    """

    service: str
    name: str
    state: str
    health: str | None
    ports: tuple[str, ...]
    uptime: float | None
    role: Role | None
    primary: str | None
    slots: tuple[str, ...]
    keys: int | None
    memory: int | None
    lag: Lag | None


class TopologyStatus(Struct, frozen=True):
    """The status of a topology.

    `serves` says whether it accepts writes, `problems` what is wrong or missing.
    """

    engine: EngineName
    url: str
    services: tuple[TopologyMember, ...]
    topology: Topology
    quorum: Quorum | None
    serves: bool
    problems: tuple[str, ...]

    @property
    def is_running(self) -> bool:
        """Whether it accepts writes."""
        return self.serves


def status(
    settings: StackSettings, topology: Topology, *, emit: Emit
) -> StackStatus | TopologyStatus:
    """Return the status of a topology. Raises NoEngine if there is no engine to ask."""
    if topology == "single":
        return single_server.status(settings, emit=emit)
    here = project.load(settings, topology)
    engine = engine_of(here, emit)
    services = engine.status()
    view = as_it_runs.view(here, services)
    running = as_it_runs.of(here, services)
    return TopologyStatus(
        engine=engine.name,
        url=layout.url(topology, running.stack),
        topology=topology,
        services=_members(running, {each.service: each for each in services}, view),
        quorum=view.quorum,
        serves=view.serves,
        problems=_problems(engine, view.problems)
        if running is not here or any(map(_is_running, services))
        else _at_rest(here, engine, view.problems),
    )


def ports_among(settings: StackSettings, ports: Collection[int]) -> set[int]:
    """Return which of some ports of this machine lead to a running node of a topology here.

    If no engine answers, none is known.
    """
    found: set[int] = set()
    for topology in get_args(Topology)[1:]:
        with suppress(PawsctlError):
            here = project.load(settings, topology)
            services = engine_of(here, lambda _event: None).status()
            running = list(filter(_is_running, services))
            for name in layout.redis_ports(here.stack).values():
                if port := single_server.port_of(name, running):
                    found.add(port)
    return found & set(ports)


def _problems(engine: Engine, problems: tuple[str, ...]) -> tuple[str, ...]:
    """Return the problems of a topology, and the folder of a running server that was moved away."""
    if misplaced := engine.misplaced():
        return (*problems, f"{misplaced.message} {misplaced.hint}")
    return problems


def _at_rest(here: Project, engine: Engine, problems: Sequence[str]) -> tuple[str, ...]:
    """Return the problems of a topology of which nothing runs, with what helps."""
    if obstacle := engine.obstacle():
        return (*problems, f"{obstacle.message} {obstacle.hint}")
    *others, last = problems
    return (*others, f"{last}; 'pawsctl redis up{here.hint}' starts it")


def _is_running(service: ServiceStatus) -> bool:
    return service.state == "running"


def _members(
    here: Project, found: dict[str, ServiceStatus], view: TopologyView
) -> tuple[TopologyMember, ...]:
    """Return all services of the compose file, with the reports of the engine and the servers."""
    names = layout.redis_ports(here.stack)
    rows = []
    for service in here.stack.services:
        seen = found.get(service.key) or ServiceStatus(
            service.key, service.container, "absent", None, (), None
        )
        node = view.nodes.get(service.key)
        role: Role | None = node.role if node else None
        if layout.is_sentinel(service) and seen.state == "running":
            role = "sentinel"
        primary = names.get(node.primary_port) if node and node.primary_port else None
        rows.append(
            TopologyMember(
                service=seen.service,
                name=seen.name,
                state=seen.state,
                health=seen.health,
                ports=seen.ports,
                uptime=seen.uptime,
                role=role,
                primary=primary,
                slots=tuple(ranges(node.slots)) if node else (),
                keys=node.keys if node else None,
                memory=node.memory if node else None,
                lag=_lag(node, view.nodes.get(primary)) if node and primary else None,
            )
        )
    return tuple(rows)


def _lag(replica: TopologyNode, primary: TopologyNode | None) -> Lag | None:
    if primary is None:
        return None
    # The two were not asked at the same moment.
    return Lag(bytes=max(0, primary.offset - replica.offset), seconds=replica.last_io)
