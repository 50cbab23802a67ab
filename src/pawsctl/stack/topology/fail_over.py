"""Choose a primary of a topology, trigger a failover, and find the new primary."""

from pawsctl.connection import probe
from pawsctl.errors import OperationFailed
from pawsctl.stack.project import layout
from pawsctl.stack.project.project import Project
from pawsctl.stack.topology import cluster_nodes
from pawsctl.stack.topology.view import TopologyView


def chosen(project: Project, view: TopologyView) -> str:
    """Return the primary that is to fail: the only one, or the first of a cluster."""
    if view.primary:
        return view.primary
    return next(
        each.key
        for each in project.servers
        if each.key in view.nodes and view.nodes[each.key].slots
    )


def give_way(project: Project, primary: str) -> None:
    """Trigger a failover from a healthy primary to a replica.

    Raises OperationFailed if no replica can take over.
    """
    if project.topology == "cluster":
        replica = cluster_nodes.replica_of(project, primary)
        if replica is None:
            raise _refused(project, f"{primary} has no replica that is connected")
        port, password, ways = replica, project.password, ["CLUSTER FAILOVER"]
    else:
        port, password = min(layout.sentinel_ports(project.stack)), None
        plain = f"SENTINEL FAILOVER {layout.SENTINEL_SERVICE}"
        # Valkey 9 can pause writes until the replica has them all; without that, writes that the
        # old primary acknowledges until it is demoted are lost.
        ways = [f"{plain} COORDINATED", plain]
    for words in ways:
        try:
            probe.ask(port, password, words.split())
        except (probe.Refused, OSError) as error:
            if words is ways[-1]:
                raise _refused(project, str(error)) from error
        else:
            return


def successor(before: TopologyView, now: TopologyView, primary: str) -> str | None:
    """Return the new primary; None while there is none, or not all nodes know it yet."""
    if not now.serves:
        return None
    if before.primary is not None:
        return now.primary if now.primary != primary else None
    slots = before.nodes[primary].slots
    for name, node in now.nodes.items():
        if name != primary and slots & node.slots:
            return name
    return None


def _refused(project: Project, reason: str) -> OperationFailed:
    return OperationFailed(
        f"The failover was refused: {reason}.",
        hint=f"Look whether all is well with 'pawsctl redis status{project.hint}'.",
    )
