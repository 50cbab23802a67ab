"""Form a cluster from the six nodes of the cluster topology, and view it.

Each step checks the state first and changes only what is missing, so it may be repeated, and
continues where another was interrupted. The nodes keep their roles in their data, failovers
included.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress

from msgspec import Struct

from pawsctl.config.target import Address
from pawsctl.connection import info_reply, probe
from pawsctl.connection.cluster.slots import SLOTS, Member, members
from pawsctl.errors import OperationFailed
from pawsctl.stack.project import layout
from pawsctl.stack.project.project import Project
from pawsctl.stack.topology.view import LOOK_TIMEOUT, TopologyNode, TopologyView, of_info

_PRIMARIES = 3


class _Answer(Struct, frozen=True):
    """A node's report about itself and, in `rows`, about all nodes.

    `primary_id` names the node that it replicates; it is empty for a primary.
    """

    node: TopologyNode
    own: Member
    primary_id: str
    rows: list[Member]
    state: str


class _Asker:
    """Sends a command and ignores a refusal: the next step checks the state again."""

    def __init__(self, password: str | None) -> None:
        self._password = password

    def __call__(self, port: int, *words: str | int) -> None:
        with suppress(probe.Refused, OSError):
            probe.ask(port, self._password, words)


def look(project: Project, asked: Sequence[str]) -> TopologyView:
    """Return the current state of the cluster, as the nodes in `asked` report it."""
    ports = layout.redis_ports(project.stack)
    places = {port: name for port, name in ports.items() if name in asked}
    answers = _answers(project, places)
    problems = [f"{name} does not answer" for port, name in places.items() if port not in answers]
    for port, answer in answers.items():
        problems += _problems(ports[port], answer, expected=len(ports))
    covered = {slot for each in answers.values() for slot in each.own.slots}
    if asked and len(covered) < SLOTS:
        problems.append(f"{SLOTS - len(covered)} slots are without a primary that answers")
    return TopologyView(
        nodes={ports[port]: each.node for port, each in answers.items()},
        problems=tuple(problems),
        serves=len(covered) == SLOTS
        and all(
            each.state == "ok" and not each.node.refusal
            for each in answers.values()
            if each.own.slots
        ),
    )


def _problems(name: str, answer: _Answer, *, expected: int) -> list[str]:
    problems = []
    if answer.node.refusal:
        problems.append(f"{name} refuses: {answer.node.refusal}")
    if answer.state != "ok":
        problems.append(f"{name} says cluster_state:{answer.state}")
    if len(answer.rows) != expected:
        problems.append(f"{name} knows {len(answer.rows)} of {expected} nodes")
    failing = [
        str(each.address.port)
        for each in answer.rows
        if each.flags & {"fail", "fail?", "handshake", "noaddr"}
    ]
    if failing:
        problems.append(f"{name} does not reach {', '.join(failing)}")
    if answer.node.role == "replica" and not answer.node.is_linked:
        problems.append(f"{name} is not connected to its primary")
    if answer.own.is_primary and not answer.own.slots:
        problems.append(f"{name} is a primary without slots")
    if answer.own.slots and not answer.node.replicas:
        problems.append(f"{name} has no replica")
    return problems


def join(project: Project) -> None:
    """Do one step of forming the cluster. Raises OperationFailed if its ports have changed."""
    ports = list(layout.redis_ports(project.stack))
    answers = _answers(project, ports)
    _check_ports(ports, answers)
    if len(answers) < len(ports):
        return
    ask = _Asker(project.password)
    for number, port in enumerate(ports, start=1):
        if len(answers[port].rows) == 1:
            # Two primaries with the same epoch would have to resolve that first.
            ask(port, "CLUSTER", "SET-CONFIG-EPOCH", number)
    known = {each.address.port for each in answers[ports[0]].rows}
    for port in ports[1:]:
        if port not in known:
            ask(ports[0], "CLUSTER", "MEET", layout.HOST, port)
    if _outlived(answers, ask):
        return
    owned = {slot for each in answers.values() for slot in each.own.slots}
    for index, port in enumerate(ports[:_PRIMARIES]):
        first, last = index * SLOTS // _PRIMARIES, (index + 1) * SLOTS // _PRIMARIES - 1
        if answers[port].own.is_primary and owned.isdisjoint(range(first, last + 1)):
            ask(port, "CLUSTER", "ADDSLOTSRANGE", first, last)
    for index, port in enumerate(ports):
        if answers[port].own.is_primary and not answers[port].own.slots:
            partner = answers[ports[index - _PRIMARIES]].own if index >= _PRIMARIES else None
            if len(owned) == SLOTS and (partner is None or not partner.slots):
                partner = _least_replicated(answers)
            if partner is not None:
                ask(port, "CLUSTER", "REPLICATE", partner.id)


def succeed(project: Project, holders: Sequence[str]) -> bool:
    """Have the `holders` take over from all other nodes, which do not run; return if they have."""
    ports = [port for port, name in layout.redis_ports(project.stack).items() if name in holders]
    answers = _answers(project, ports)
    return len(answers) == len(ports) and not _outlived(answers, _Asker(project.password))


def _outlived(answers: Mapping[int, _Answer], ask: _Asker) -> bool:
    """Have the cluster do without nodes whose data is gone; return whether it still has to change.

    Such a node is back with another id, if at all. A replica of it has its data and takes its
    slots; no majority may be left to elect one. After that all forget it.
    """
    alive = {each.own.id for each in answers.values()}
    orphans = [port for port, each in answers.items() if each.primary_id not in {"", *alive}]
    for port in orphans:
        ask(port, "CLUSTER", "FAILOVER", "TAKEOVER")
    if orphans:
        return True
    # A node that is just being met has a name for the moment.
    rows = [row for each in answers.values() for row in each.rows if "handshake" not in row.flags]
    gone = {row.id for row in rows} - alive
    for port in answers:
        for each in gone:
            ask(port, "CLUSTER", "FORGET", each)
    return bool(gone)


def _least_replicated(answers: Mapping[int, _Answer]) -> Member:
    leaders = [each for each in answers.values() if each.own.slots]
    return min(leaders, key=lambda each: each.node.replicas).own


def replica_of(project: Project, primary: str) -> int | None:
    """Return the port of a replica that is connected to `primary`; None if there is none."""
    ports = layout.redis_ports(project.stack)
    names = {name: port for port, name in ports.items()}
    for name, node in look(project, list(names)).nodes.items():
        if node.primary_port == names[primary] and node.is_linked:
            return names[name]
    return None


def _check_ports(ports: Sequence[int], answers: Mapping[int, _Answer]) -> None:
    known = {each.address.port for answer in answers.values() for each in answer.rows}
    strangers = known - {*ports}
    if strangers:
        raise OperationFailed(
            f"The cluster that is stored here has nodes on other ports: {min(strangers)} is none "
            f"of {ports[0]} to {ports[-1]}.",
            hint="Set REDIS_PORT back to what it was, or delete the data with "
            "'pawsctl redis down --topology cluster --volumes'.",
        )


def _answers(project: Project, ports: Sequence[int] | Mapping[int, str]) -> dict[int, _Answer]:
    found = {}
    for port in ports:
        with suppress(probe.Refused, OSError):
            info, nodes, state = probe.ask(
                port,
                project.password,
                ("INFO",),
                ("CLUSTER", "NODES"),
                ("CLUSTER", "INFO"),
                timeout=LOOK_TIMEOUT,
            )
            pinged = probe.ping(port, project.password, timeout=LOOK_TIMEOUT)
            rows = members(nodes, Address(layout.HOST, port))
            own = next(each for each in rows if "myself" in each.flags)
            line = next(each for each in nodes.decode().splitlines() if each.startswith(own.id))
            found[port] = _Answer(
                node=of_info(info, pinged, own.slots),
                own=own,
                primary_id=line.split()[3].removeprefix("-"),
                rows=rows,
                state=info_reply.fields(state).get("cluster_state", "unknown"),
            )
    return found
