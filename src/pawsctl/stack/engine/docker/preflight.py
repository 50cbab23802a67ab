"""Checks for conflicts with a project's containers, made before any of them is touched."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from pawsctl.errors import Conflict
from pawsctl.stack.engine import ports
from pawsctl.stack.engine.docker.objects import container_definition, labels, network_volumes
from pawsctl.stack.engine.docker.takeover import data_place
from pawsctl.stack.project.project import port_setting

if TYPE_CHECKING:
    from docker.api import APIClient

    from pawsctl.stack.project.services import Service, Stack


def existing(api: APIClient, stack: Stack) -> list[dict[str, Any]]:
    """Return the `inspect` data of all containers of our services, in the compose file's order.

    A container of the project with a service's container name is that service's, whatever its
    compose file calls it: its data then carries the service's label.
    """
    from docker.errors import NotFound

    order = [service.key for service in stack.services]
    named = {service.container: service.key for service in stack.services}
    found = []
    for each in api.containers(all=True, filters={"label": f"{labels.PROJECT}={stack.project}"}):
        found_labels = each["Labels"]
        name = next(iter(each["Names"] or ()), "").removeprefix("/")
        key = named.get(name, found_labels.get(labels.SERVICE))
        # A container started by `docker compose run` is no service's.
        is_service = found_labels.get(labels.ONE_OFF) != "True"
        if is_service and key in order:
            # The container may have been removed since.
            with suppress(NotFound):
                data = api.inspect_container(each["Id"])
                data["Config"]["Labels"][labels.SERVICE] = key
                found.append(data)
    return sorted(found, key=lambda each: order.index(each["Config"]["Labels"][labels.SERVICE]))


def current(api: APIClient, stack: Stack) -> list[dict[str, Any]]:
    """Return the container of each service; if it has several, the one with its name.

    A container that is dead, or that is being replaced, has a longer name.
    """
    chosen: dict[str, dict[str, Any]] = {}
    for each in existing(api, stack):
        key = each["Config"]["Labels"][labels.SERVICE]
        is_named = each["Name"].removeprefix("/") == stack.service(key).container
        if is_named or key not in chosen:
            chosen[key] = each
    return list(chosen.values())


def find(api: APIClient, stack: Stack, service: Service) -> dict[str, Any] | None:
    """Return the service's container: the one with its exact name, else one that compose named.

    A compose file without `container_name` makes `project-redis-1`. Raises Conflict if the one with
    our name is not ours, or if the service has several.
    """
    from docker.errors import NotFound

    others = [
        each
        for each in existing(api, stack)
        if each["Config"]["Labels"][labels.SERVICE] == service.key
        and container_definition.name_aside(service, each) not in each["Name"]
        and each["Name"] != f"/{service.container}"
    ]
    found: list[dict[str, Any]] = []
    with suppress(NotFound):
        found.append(api.inspect_container(service.container))
        labels.check_owner("container", service.container, found[0]["Config"]["Labels"], stack)
    if not found or data_place.has_data(service):
        found += others
    if len(found) > 1:
        raise _several(service, [each["Name"].removeprefix("/") for each in found])
    return found[0] if found else None


def check(api: APIClient, stack: Stack, services: Sequence[Service], *, leaving: bool) -> None:
    """Raise Conflict if a service's name, port, network or volume is taken by something else.

    A port counts as free if the service's own container holds it; with `leaving`, if any container
    of ours does.
    """
    ours = existing(api, stack)
    for service in services:
        own = find(api, stack, service)
        holders = ours if leaving else [own] if own else []
        held = {port for each in holders for port in container_definition.ports_held(each)}
        for port in service.ports:
            if port.published not in held and not ports.is_free(port.published):
                raise port_taken(api, service, f":{port.published}")
        network_volumes.check_volumes(api, stack, service)
    if not all(service.on_host for service in services):
        network_volumes.check_network(api, stack)


def obstacle(api: APIClient, stack: Stack, service: Service) -> Conflict | None:
    """Return what would keep a service from starting if no container of ours ran."""
    try:
        check(api, stack, [service], leaving=True)
    except Conflict as found:
        return found
    return None


def port_taken(api: APIClient, service: Service, reason: str) -> Conflict:
    """Return the error for a taken port, with its holder; `reason` is Docker's error."""
    taken = next(
        (port for port in service.ports if f":{port.published}" in reason), service.ports[0]
    )
    # A dockerd that was restarted with live-restore does not free the ports of what it restored.
    if "already allocated" in reason and ports.is_free(taken.published):
        return Conflict(
            f"Docker says that port {taken.published} on 127.0.0.1 is in use, and nothing listens "
            "there.",
            hint=f"Restart Docker, or choose another port with {port_setting(service)}.",
        )
    held_by = ""
    for each in api.containers():
        if any(port.get("PublicPort") == taken.published for port in each["Ports"] or ()):
            held_by = f"the container {each['Names'][0].removeprefix('/')}"
    return ports.busy(service, taken.published, held_by=held_by)


def _several(service: Service, names: Sequence[str]) -> Conflict:
    return Conflict(
        f"{' and '.join(names)} are all containers of this project's {service.key}, and each may "
        "hold data. Nothing was changed.",
        hint=f"Remove the one whose data you don't need, for example with 'docker rm -f -v "
        f"{names[-1]}'.",
    )


def standing(api: APIClient, stack: Stack) -> str:
    """Return a sentence on the current states of a project's containers."""
    from docker.errors import DockerException

    try:
        rows = [
            f"{each['Name'].removeprefix('/')} is {each['State']['Status']}"
            for each in existing(api, stack)
        ]
    # The failure may be that of the engine.
    except (DockerException, OSError):
        return "The engine does not tell how the containers are now."
    return f"As things stand, {', '.join(rows)}." if rows else "No container is left."
