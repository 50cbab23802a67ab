"""Containers that are created to find something out, and removed again.

A service's probe has a fixed name, so that one left by a killed pawsctl is found and removed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any

from pawsctl.stack.engine.docker.objects import labels
from pawsctl.stack.engine.rollback import uninterrupted

if TYPE_CHECKING:
    from docker.api import APIClient

    from pawsctl.stack.project.services import Service, Stack

_TRIES = 3


@contextmanager
def probe(api: APIClient, stack: Stack, service: Service, body: dict[str, Any]) -> Iterator[str]:
    """Create a container from `body` beside that of a service, yield its id, and remove it.

    Raises APIError if the engine can't make it.
    """
    with ExitStack() as undo:
        # Ctrl-C must not come between the request and the line that registers its undo.
        with uninterrupted():
            made = _created(api, name(service), body | {"Labels": labels.of_one_off(stack)})
            undo.callback(_remove, api, made)
        yield made


def _remove(api: APIClient, container: str) -> None:
    from docker.errors import APIError

    with uninterrupted(), suppress(APIError):
        api.remove_container(container, v=True, force=True)


def name(service: Service) -> str:
    """Return the name of every probe for a service."""
    return f"{service.container}_probe"


def _created(api: APIClient, name: str, body: dict[str, Any]) -> str:
    from docker.errors import APIError

    for attempt in range(_TRIES):
        try:
            return str(api.create_container_from_config(body, name)["Id"])
        except APIError as error:
            if error.status_code != 409 or attempt == _TRIES - 1:
                raise
            with suppress(APIError):
                api.remove_container(name, v=True, force=True)
    raise AssertionError
