"""Form a topology from running servers, step by step until nothing is missing."""

import time
from collections.abc import Sequence
from functools import partial

from pawsctl.errors import TimedOut
from pawsctl.stack.engine.protocol import Form, nothing_to_form
from pawsctl.stack.events import Emit, Waiting
from pawsctl.stack.project.project import Project
from pawsctl.stack.topology import cluster_nodes, sentinel_nodes
from pawsctl.stack.topology.view import TopologyView

# Seconds between two steps.
_PAUSE = 0.05
# Seconds; if forming takes longer, the wait is reported.
_TELL_AFTER = 1.0


def form_of(project: Project, emit: Emit, *, timeout: float) -> Form:
    """Return the function that forms the project's topology, once all servers answer.

    `timeout` is in seconds, for the message.
    """
    if project.topology == "single":
        return nothing_to_form
    return partial(_form, project, emit, timeout)


def view(project: Project, asked: Sequence[str] | None = None) -> TopologyView:
    """Return the current state of the topology, as the services in `asked` report it; None: all."""
    if asked is None:
        asked = [each.key for each in project.servers]
    if project.topology == "cluster":
        return cluster_nodes.look(project, asked)
    return sentinel_nodes.look(project, asked)


def _form(project: Project, emit: Emit, timeout: float, deadline: float) -> None:
    join = cluster_nodes.join if project.topology == "cluster" else sentinel_nodes.join
    tell_at = time.monotonic() + _TELL_AFTER
    is_told = False
    while problems := view(project).problems:
        now = time.monotonic()
        if now > deadline:
            raise TimedOut(
                f"The {project.topology} topology was not whole within {timeout:g} s: "
                f"{'; '.join(problems)}.",
                hint=f"See its logs with 'pawsctl redis logs{project.hint}', or give it more time "
                "with --timeout.",
            )
        if now > tell_at and not is_told:
            emit(Waiting("all nodes have found each other"))
            is_told = True
        join(project)
        time.sleep(_PAUSE)
