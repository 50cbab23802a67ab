"""Keep a node that has lost its data from being the primary that the others copy.

The servers of a topology start with the roles that they had. A primary whose data was removed would
start empty, and its replicas, which hold all of it, would empty themselves.
"""

import dataclasses
import time
from functools import partial

from msgspec.structs import replace

from pawsctl.errors import OperationFailed
from pawsctl.plurals import plural
from pawsctl.stack.engine.protocol import Engine, Plan, ServiceUp
from pawsctl.stack.events import AllUp, DataGone, Event
from pawsctl.stack.project import layout
from pawsctl.stack.project.project import Project
from pawsctl.stack.topology import cluster_nodes, sentinel_nodes

_PAUSE = 0.05


def bring_up_holders(plan: Plan, here: Project, engine: Engine) -> dict[str, ServiceUp]:
    """Bring up the nodes that have data before those that have none, one of them the primary.

    Return the actions by service; none if all nodes have data, or none has, or there is only one.
    """
    nodes = [each.key for each in here.servers if not layout.is_sentinel(each)]
    lost = engine.without_data().intersection(nodes) if len(nodes) > 1 else frozenset()
    holders = [each for each in nodes if each not in lost]
    if not (lost and holders):
        return {}
    plan.emit(DataGone(tuple(each for each in nodes if each in lost)))

    def emit(event: Event) -> None:
        if not isinstance(event, AllUp):
            plan.emit(event)

    first = dataclasses.replace(
        plan,
        services=[each for each in plan.services if each not in lost],
        form=partial(_form, here, holders, plan.timeout),
        emit=emit,
    )
    return {each.service: each for each in engine.up(first)}


def merged(done: tuple[ServiceUp, ...], first: dict[str, ServiceUp]) -> tuple[ServiceUp, ...]:
    """Return the actions of an `up` that found some services as it had brought them up `first`."""
    return tuple(
        replace(first[each.service], seconds=each.seconds)
        if each.action == "running" and each.service in first
        else each
        for each in done
    )


def _form(here: Project, holders: list[str], timeout: float, deadline: float) -> None:
    succeed = cluster_nodes.succeed if here.topology == "cluster" else sentinel_nodes.succeed
    while not succeed(here, holders):
        if time.monotonic() > deadline:
            raise OperationFailed(
                f"The {plural(len(holders), 'node')} with data did not take over from the others "
                f"within {timeout:g} s. No data was changed.",
                hint=f"Give it more time with --timeout, or see 'pawsctl redis logs{here.hint}'.",
            )
        time.sleep(_PAUSE)
