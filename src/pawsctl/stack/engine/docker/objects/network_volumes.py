"""The network and the volumes of a project: create, check the owner, and remove."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any

from pawsctl.errors import Conflict, OperationFailed
from pawsctl.stack.engine.docker.objects import labels
from pawsctl.stack.engine.rollback import uninterrupted
from pawsctl.stack.engine.written_meanwhile import Meanwhile
from pawsctl.stack.events import Created, Emit
from pawsctl.stack.project.services import Service, Stack

if TYPE_CHECKING:
    from docker.api import APIClient

# The programs of which only one may have the data.
_SERVERS = ("redis-server", "valkey-server")


def network(api: APIClient, stack: Stack, undo: ExitStack, emit: Emit) -> str:
    """Return the id of the project's network, and create it if it is missing.

    Network names are not unique: two programs that create at once make two, and no container can
    start while the name is ambiguous. The oldest is kept. Raises Conflict if it is another
    project's.
    """
    found = networks(api, stack)
    if not found:
        with uninterrupted():
            made = api.create_network(
                stack.network, driver="bridge", labels=labels.of_network(stack)
            )["Id"]
            undo.callback(remove_network, api, made)
        emit(Created("network", stack.network))
        found = networks(api, stack)
        for extra in found[1:]:
            remove_network(api, extra["Id"])
    if not found:
        raise OperationFailed(
            f"The network {stack.network} was removed as soon as it was made.",
            hint="Another program takes this project down meanwhile: try again.",
        )
    labels.check_owner("network", stack.network, found[0]["Labels"], stack)
    oldest: str = found[0]["Id"]
    return oldest


def check_network(api: APIClient, stack: Stack) -> None:
    """Raise Conflict if the network of our name is another project's."""
    for each in networks(api, stack)[:1]:
        labels.check_owner("network", stack.network, each["Labels"], stack)


def networks(api: APIClient, stack: Stack) -> list[dict[str, Any]]:
    """Return all networks of exactly our name, the oldest first."""
    # The filter also matches parts of names.
    found = [each for each in api.networks([stack.network]) if each["Name"] == stack.network]
    return sorted(found, key=lambda each: (each["Created"], each["Id"]))


def remove_network(api: APIClient, network_id: str) -> bool:
    """Remove a network and return whether it is gone; one that is in use stays."""
    from docker.errors import APIError, NotFound

    try:
        api.remove_network(network_id)
    except NotFound:
        return True
    except APIError:
        return False
    return True


def check_volumes(api: APIClient, stack: Stack, service: Service) -> None:
    """Raise Conflict if a volume of a service is another project's, or another server's in use."""
    from docker.errors import NotFound

    for each in service.volumes:
        with suppress(NotFound):
            found = api.inspect_volume(each.name)
            labels.check_owner("volume", each.name, found.get("Labels"), stack)
            _check_alone(api, stack, each.name)


def _check_alone(api: APIClient, stack: Stack, volume: str) -> None:
    """Raise Conflict if a server of somebody else runs on a volume."""
    from docker.errors import APIError

    for each in api.containers(filters={"volume": volume}):
        is_ours = (each["Labels"] or {}).get(labels.PROJECT) == stack.project
        may_write = any(mount.get("RW") for mount in each["Mounts"] if mount.get("Name") == volume)
        if is_ours or not may_write:
            continue
        # It may have ended.
        with suppress(APIError):
            processes = api.top(each["Id"])["Processes"] or ()
            if any(server in row[-1] for row in processes for server in _SERVERS):
                name = each["Names"][0].removeprefix("/")
                raise Conflict(
                    f"The container {name} runs a Redis that mounts the volume {volume}: two "
                    "servers would spoil each other's files.",
                    hint=f"Stop it with 'docker stop {name}' first.",
                )


def volumes(
    api: APIClient, stack: Stack, service: Service, meanwhile: Meanwhile, emit: Emit
) -> bool:
    """Create the service's missing volumes; on undo, one that was written to is kept.

    Return whether one was there. Raises Conflict if a volume of that name is not this project's.
    """
    from docker.errors import NotFound

    was_there = False
    for each in service.volumes:
        try:
            found = api.inspect_volume(each.name)
            was_there = True
        except NotFound:
            with uninterrupted():
                found = api.create_volume(each.name, labels=labels.of_volume(stack, each.key))
                meanwhile.undo.callback(_remove_unwritten, api, service, each.name, meanwhile)
            emit(Created("volume", each.name))
        labels.check_owner("volume", each.name, found.get("Labels"), stack)
    return was_there


def others(api: APIClient, stack: Stack) -> tuple[str, ...]:
    """Return volumes by which another compose file of this project may have kept Redis's data."""
    ours = {each.name for service in stack.services for each in service.volumes}
    mine = {"label": f"{labels.PROJECT}={stack.project}"}
    found = (str(each["Name"]) for each in api.volumes(filters=mine)["Volumes"] or ())
    kinds = ("redis", "valkey")
    names = {each for each in found if each not in ours}
    return tuple(
        sorted(each for each in names if any(k in each.removeprefix(stack.project) for k in kinds))
    )


def _remove_unwritten(api: APIClient, service: Service, name: str, meanwhile: Meanwhile) -> None:
    from docker.errors import APIError

    if not meanwhile.keep(service.key, f"The volume {name}"):
        # Fails if another `up` uses the volume by now.
        with suppress(APIError):
            api.remove_volume(name)
