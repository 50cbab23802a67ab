"""The labels that mark a container, a network or a volume as one of this project's.

They are those of docker compose 2.40, which treats objects with these labels as its own, without a
warning: without `project` or `oneoff` it does not see a container, without `image` it replaces it,
and a foreign `config-hash` makes its next `up` replace the container and keep the data.
"""

from collections.abc import Mapping

from pawsctl.errors import Conflict
from pawsctl.stack.project.services import Service, Stack

_PREFIX = "com.docker.compose."
PROJECT = f"{_PREFIX}project"
SERVICE = f"{_PREFIX}service"
ONE_OFF = f"{_PREFIX}oneoff"


def of_container(stack: Stack, service: Service, image_id: str) -> dict[str, str]:
    """Return the labels of a service's container, which runs the image with the id `image_id`."""
    return {
        PROJECT: stack.project,
        SERVICE: service.key,
        ONE_OFF: "False",
        f"{_PREFIX}config-hash": "pawsctl",
        f"{_PREFIX}container-number": "1",
        f"{_PREFIX}image": image_id,
        f"{_PREFIX}project.config_files": str(stack.path),
        f"{_PREFIX}project.working_dir": str(stack.path.parent),
        f"{_PREFIX}depends_on": ",".join(
            f"{each}:service_started:false" for each in service.depends_on
        ),
    }


def of_one_off(stack: Stack) -> dict[str, str]:
    """Return the labels of a container of no service, like those of `docker compose run`."""
    return {PROJECT: stack.project, ONE_OFF: "True"}


def of_network(stack: Stack) -> dict[str, str]:
    """Return the labels of the network that joins the services."""
    return {PROJECT: stack.project, f"{_PREFIX}network": "default"}


def of_volume(stack: Stack, key: str) -> dict[str, str]:
    """Return the labels of the volume that the compose file calls `key`."""
    return {PROJECT: stack.project, f"{_PREFIX}volume": key}


def check_owner(kind: str, name: str, found: Mapping[str, str] | None, stack: Stack) -> None:
    """Raise Conflict if the labels `found` on `name` are not this project's."""
    owner = (found or {}).get(PROJECT)
    if owner != stack.project:
        whose = f"belongs to the project '{owner}'" if owner else "was not made by this project"
        hint = f"Rename or remove that {kind}, or choose another PAWSCTL_PROJECT."
        if kind == "volume":
            # Docker can't rename a volume, and removing it deletes what it holds.
            hint = (
                "Choose another PAWSCTL_PROJECT; or, if nobody needs what it holds, delete it with "
                f"'docker volume rm {name}'."
            )
        raise Conflict(f"The {kind} '{name}' {whose}, so it is left alone.", hint=hint)
