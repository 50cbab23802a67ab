"""Facts about an engine and a project's containers, for diagnosis. Read only."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from pawsctl.errors import NoEngine, OperationFailed
from pawsctl.stack.engine.docker import container_logs, preflight
from pawsctl.stack.engine.docker.objects import container_definition, labels, network_volumes
from pawsctl.stack.engine.docker.sdk import contexts, sdk_client
from pawsctl.stack.engine.protocol import LogQuery

if TYPE_CHECKING:
    from collections.abc import Iterator

    from docker.api import APIClient

    from pawsctl.stack.project.services import Service, Stack

_TAIL_LINES = 8


class About(Struct, frozen=True):
    """An engine: where it was found, its version, and where it keeps images and volumes."""

    endpoint: str
    version: str
    root: str
    is_remote: bool


class Condition(Struct, frozen=True):
    """The condition of a container.

    `restarts` counts how often Docker has restarted it; `changed` names the fields that make `up`
    replace it; `tail` is the end of its log if it does not run as it should.
    """

    name: str
    state: str
    health: str | None
    restarts: int
    exit_code: int
    is_out_of_memory: bool
    changed: tuple[str, ...]
    tail: tuple[str, ...]

    @property
    def is_broken(self) -> bool:
        """Whether it is in a restart loop, paused or dead, or has exited with a failure."""
        return self.state in ("restarting", "paused", "dead") or (
            self.state == "exited" and self.exit_code not in (0, 143)
        )


class Publisher(Struct, frozen=True):
    """The container that holds a port, and its compose project, or ''."""

    name: str
    project: str


def connect() -> tuple[APIClient, About]:
    """Connect to the engine; return it and facts about it. Raises NoEngine, OperationFailed."""
    where = contexts.endpoint()
    api = sdk_client.connect()
    with sdk_client.translated_errors():
        info = api.info()
    about = About(
        endpoint=where.address or _default_address(),
        version=str(info.get("ServerVersion", "?")),
        root=str(info.get("DockerRootDir", "")),
        is_remote=info.get("OperatingSystem") == "Docker Desktop" or "tcp:" in where.address,
    )
    return api, about


def _default_address() -> str:
    from docker import constants

    pipe, socket = constants.DEFAULT_NPIPE, constants.DEFAULT_UNIX_SOCKET
    return str(pipe if constants.IS_WINDOWS_PLATFORM else socket.removeprefix("http+"))


def conditions(api: APIClient, stack: Stack) -> list[Condition]:
    """Return the condition of each container of a project. Raises NoEngine, OperationFailed."""
    with sdk_client.translated_errors():
        return list(_conditions(api, stack))


def publisher(api: APIClient, port: int) -> Publisher | None:
    """Return the container that publishes a port of this machine, or None."""
    with sdk_client.translated_errors():
        for each in api.containers():
            if any(bound.get("PublicPort") == port for bound in each["Ports"] or ()):
                name = each["Names"][0].removeprefix("/")
                return Publisher(name, (each["Labels"] or {}).get(labels.PROJECT, ""))
    return None


def inspected(api: APIClient, stack: Stack) -> list[dict[str, Any]]:
    """Return the `inspect` data of each container of a project."""
    with sdk_client.translated_errors():
        return preflight.existing(api, stack)


def log_tail(api: APIClient, container: dict[str, Any], lines: int) -> tuple[str, ...]:
    """Return the last `lines` lines of a container's log; none if the engine keeps no log."""
    with suppress(OperationFailed, NoEngine), sdk_client.translated_errors():
        found = container_logs.read(api, {"": container["Id"]}, LogQuery(tail=lines))
        return tuple(each.text for each in found)
    return ()


def _conditions(api: APIClient, stack: Stack) -> Iterator[Condition]:
    for each in preflight.current(api, stack):
        state = each["State"]
        service = stack.service(each["Config"]["Labels"][labels.SERVICE])
        found = Condition(
            name=str(each["Name"]).removeprefix("/"),
            state=state["Status"],
            health=(state.get("Health") or {}).get("Status") if state["Running"] else None,
            restarts=int(each.get("RestartCount") or 0),
            exit_code=int(state.get("ExitCode") or 0),
            is_out_of_memory=bool(state.get("OOMKilled")),
            changed=_changed(api, stack, service, each),
            tail=(),
        )
        if found.is_broken or found.restarts or found.health == "unhealthy":
            tail = log_tail(api, each, _TAIL_LINES)
            found = replace(found, tail=tail)
        yield found


def _changed(
    api: APIClient, stack: Stack, service: Service, container: dict[str, Any]
) -> tuple[str, ...]:
    """Return the fields that differ from the settings; `image` if the image is not here."""
    from docker.errors import NotFound

    try:
        image = api.inspect_image(service.image)
    except NotFound:
        return ("image",)
    networks = [] if service.on_host else network_volumes.networks(api, stack)
    return container_definition.changed(
        stack,
        service,
        container,
        image=image,
        network_id=networks[0]["Id"] if networks else "",
        limits_memory=lambda: True,
    )
