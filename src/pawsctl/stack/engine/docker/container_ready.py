"""Wait until a container's service answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pawsctl.stack.engine.docker import preflight
from pawsctl.stack.engine.docker.objects import container_definition
from pawsctl.stack.engine.docker.sdk.sdk_client import explained
from pawsctl.stack.engine.protocol import Plan
from pawsctl.stack.engine.wait import until_ready
from pawsctl.stack.events import Ready

if TYPE_CHECKING:
    from docker import APIClient

    from pawsctl.stack.project.services import Service, Stack

_TAIL_LINES = 15


def wait(api: APIClient, stack: Stack, service: Service, plan: Plan, deadline: float) -> None:
    """Wait until a service answers, at most until `deadline` (in seconds of `time.monotonic`).

    Raises TimedOut, or OperationFailed if its container died.
    """
    until_ready(
        service.key,
        plan,
        deadline=deadline,
        died=lambda: _died(api, stack, service),
        log_tail=lambda: _log_tail(api, service),
    )
    plan.emit(Ready(service.key, service.container))


def _died(api: APIClient, stack: Stack, service: Service) -> str:
    container = preflight.find(api, stack, service)
    if container is None:
        return "its container is gone"
    state = container["State"]
    if container_definition.is_running(container):
        return ""
    reason = "ran out of memory" if state["OOMKilled"] else "exited"
    return f"it {reason} with status {state['ExitCode']}"


def _log_tail(api: APIClient, service: Service) -> tuple[str, ...]:
    from docker.errors import APIError

    try:
        text = api.logs(service.container, tail=_TAIL_LINES)
    except APIError as error:
        return (f"(its log can't be read: {explained(error)})",)
    return tuple(text.decode("utf-8", "replace").splitlines())
