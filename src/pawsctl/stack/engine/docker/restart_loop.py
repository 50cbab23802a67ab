"""Find the moment when nothing runs in a container that restarts again and again."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from pawsctl.stack.engine.docker.objects.container_definition import is_running
from pawsctl.stack.engine.docker.takeover import data_place

if TYPE_CHECKING:
    from docker.api import APIClient

    from pawsctl.stack.project.services import Service

_PAUSE = 0.02
# Seconds. Docker soon waits longer between two restarts than the server runs.
_PATIENCE = 5.0


def between(
    api: APIClient, service: Service, container: dict[str, Any], password: str | None
) -> dict[str, Any]:
    """Return the `inspect` data of a container; in a restart loop, of a moment between restarts.

    Such a container runs for moments in which its server does not answer yet.
    """
    deadline = time.monotonic() + _PATIENCE
    while (
        container.get("RestartCount")
        and is_running(container)
        and data_place.has_data(service)
        and data_place.server(service, container, password).silence
        and time.monotonic() < deadline
    ):
        time.sleep(_PAUSE)
        container = api.inspect_container(container["Id"])
    return container
