"""How a topology is: its servers, their roles, and what is missing to the whole."""

from msgspec import Struct

from pawsctl.config.settings import StackSettings
from pawsctl.connection.cluster.slots import ranges
from pawsctl.stack import status as single_server
from pawsctl.stack.engine.choose import engine_of
from pawsctl.stack.engine.protocol import ServiceStatus
from pawsctl.stack.events import Emit, EngineName
from pawsctl.stack.project import layout, project
from pawsctl.stack.project.layout import Topology
from pawsctl.stack.project.project import Project
from pawsctl.stack.status import StackStatus
from pawsctl.stack.topology import form
from pawsctl.stack.topology.view import Quorum, Role, TopologyNode, TopologyView


class Lag(Struct, frozen=True):
    """How far a replica is behind: `bytes` of the stream, and `seconds` since its primary spoke.

    `seconds` is null where it is not connected.
    """

    bytes: int
    seconds: int | None


class TopologyMember(Struct, frozen=True):
    """A service as its engine sees it, and what it says of itself where it answers.

    `primary` is the service whose replica it is, `slots` are ranges such as `0-5460`.
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
    """What runs of a topology.

    `serves` says whether it takes writes, `problems` what is missing to the whole.
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
        """Whether it serves."""
        return self.serves


def status(
    settings: StackSettings, topology: Topology, *, emit: Emit
) -> StackStatus | TopologyStatus:
    """What runs. Raises NoEngine where that can't be known."""
    if topology == "single":
        return single_server.status(settings, emit=emit)
    here = project.load(settings, topology)
    engine = engine_of(here, emit)
    found = {each.service: each for each in engine.status()}
    view = form.view(here)
    return TopologyStatus(
        engine=engine.name,
        url=layout.url(topology, here.stack),
        topology=topology,
        services=_members(here, found, view),
        quorum=view.quorum,
        serves=view.serves,
        problems=view.problems,
    )


def _members(
    here: Project, found: dict[str, ServiceStatus], view: TopologyView
) -> tuple[TopologyMember, ...]:
    """Every service of the compose file, with what the engine and the servers say of it."""
    names = layout.redis_ports(here.stack)
    rows = []
    for service in here.stack.services:
        seen = found.get(service.key) or ServiceStatus(
            service.key, service.container, "absent", None, (), None
        )
        # Another server may have its port.
        node = view.nodes.get(service.key) if seen.state == "running" else None
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
