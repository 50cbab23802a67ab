"""Change the primary of a topology, and wait until another has taken its place."""

import time
from collections.abc import Callable
from typing import Literal, TypeVar

from pawsctl.errors import TimedOut
from pawsctl.stack.engine.protocol import Engine
from pawsctl.stack.events import Emit, Waiting
from pawsctl.stack.project.project import Project
from pawsctl.stack.topology import fail_over, form
from pawsctl.stack.topology.view import TopologyView

Method = Literal["kill", "graceful"]
Found = TypeVar("Found")

_PAUSE = 0.02


def change_primary(
    here: Project,
    engine: Engine,
    before: TopologyView,
    primary: str,
    *,
    method: Method,
    timeout: float,
    emit: Emit,
) -> tuple[str, float]:
    """Kill or demote the primary; return its successor, and the seconds until it was promoted."""
    begun = time.monotonic()
    if method == "kill":
        engine.kill(primary, emit)
    else:
        fail_over.give_way(here, primary)
    emit(Waiting(f"another takes the place of {primary}"))
    promoted = _promoted(here, before, primary, timeout)
    seconds = time.monotonic() - begun
    if method == "graceful":
        # The drill does not speed this up: until Sentinels demote the old primary, it takes
        # writes that are lost.
        emit(Waiting(f"{primary} is demoted"))
        _await_demotion(here, primary, timeout)
    return promoted, seconds


def _promoted(here: Project, before: TopologyView, primary: str, timeout: float) -> str:
    def found() -> str | None:
        return fail_over.successor(before, form.view(here), primary)

    return poll_until(found, timeout, f"No other took the place of {primary}")


def _await_demotion(here: Project, primary: str, timeout: float) -> None:
    def is_replica() -> bool:
        node = form.view(here).nodes.get(primary)
        return node is not None and node.role == "replica"

    poll_until(is_replica, timeout, f"{primary} was not demoted")


def poll_until(look: Callable[[], Found | None], timeout: float, otherwise: str) -> Found:
    """Return what `look` finds. Raises TimedOut with the sentence `otherwise` after `timeout` s."""
    deadline = time.monotonic() + timeout
    while not (found := look()):
        if time.monotonic() > deadline:
            raise TimedOut(
                f"{otherwise} within {timeout:g} s.", hint="Give it more time with --timeout."
            )
        time.sleep(_PAUSE)
    return found
