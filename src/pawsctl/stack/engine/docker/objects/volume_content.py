"""Delete what is in a volume that Docker can't remove, since a dead container still holds it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pawsctl.stack.engine.docker.objects import probe_container

if TYPE_CHECKING:
    from docker.api import APIClient

    from pawsctl.stack.project.services import Stack

_THERE = "/there"
_DELETE = f"rm -rf {_THERE}/* {_THERE}/.[!.]*"


def delete(api: APIClient, stack: Stack, volume: str) -> bool:
    """Delete all files in a volume of the project, and return whether they are gone."""
    from docker.errors import APIError

    found = [
        each for each in stack.services if volume in {mounted.name for mounted in each.volumes}
    ]
    for service in found:
        body: dict[str, Any] = {
            "Image": service.image,
            "Entrypoint": ["sh", "-c", _DELETE],
            "Cmd": [],
            "User": "0",
            "HostConfig": {"Binds": [f"{volume}:{_THERE}"], "NetworkMode": "none"},
        }
        try:
            with probe_container.probe(api, stack, service, body) as made:
                api.start(made)
                return bool(api.wait(made)["StatusCode"] == 0)
        except APIError:
            return False
    return False
