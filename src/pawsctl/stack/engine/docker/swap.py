"""Replace a container by a new one, and put the old one back if that fails."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from pawsctl.errors import Conflict, OperationFailed, PawsctlError
from pawsctl.stack.engine.docker.objects import container_definition, server_version
from pawsctl.stack.engine.docker.sdk.sdk_client import explained, translated_errors
from pawsctl.stack.engine.docker.takeover import data_place
from pawsctl.stack.events import Kept

if TYPE_CHECKING:
    from docker.api import APIClient

    from pawsctl.stack.engine.docker.objects.container_definition import Inspected
    from pawsctl.stack.engine.written_meanwhile import Meanwhile
    from pawsctl.stack.events import Emit
    from pawsctl.stack.project.services import Service, Stack

# Seconds that a service has to shut down before it is killed, as in docker compose.
_STOP_GRACE = 10
# Seconds to wait until the name of a container that is being removed is free.
_REMOVAL = 5.0


class Swap:
    """The replacement of one service's container, which the `undo` stack can revert."""

    def __init__(
        self, api: APIClient, stack: Stack, service: Service, meanwhile: Meanwhile
    ) -> None:
        self._api = api
        self._stack = stack
        self._service = service
        self._undo = meanwhile.undo
        self._meanwhile = meanwhile
        self._has_taken = False
        self._old: dict[str, Any] | None = None
        self._new = ""
        self._stays = False

    @property
    def is_first(self) -> bool:
        """Whether it replaces no container."""
        return self._old is None

    def set_aside(self, container: dict[str, Any]) -> None:
        """Stop a container and rename it; stopped first, so that no two servers share the data."""
        self._old = container
        self._undo.callback(self._put_back, container)
        stop(self._api, container)
        self._api.rename(container["Id"], container_definition.name_aside(self._service, container))

    def created(self, container_id: str, *, has_taken: bool, password: str | None) -> None:
        """Note down the new container, and whether it has taken data over."""
        self._new = container_id
        self._has_taken = has_taken
        self._undo.callback(self._remove_new)
        if data_place.has_data(self._service):
            port = self._service.ports[0].published
            self._meanwhile.started(self._service.key, port, password, self._runs)

    def _runs(self) -> bool:
        from docker.errors import NotFound

        try:
            return container_definition.is_running(self._inspected(self._new))
        except NotFound:
            return False

    def check_data(self) -> None:
        """Raise Conflict if the new server can't read the data in its volume and starts empty."""
        if self._old is not None and self._old["Image"] == self._inspected(self._new)["Image"]:
            return
        for volume in self._service.volumes:
            if not server_version.has_aof_folder(self._api, self._new, volume.target):
                continue
            server = self._version(self._inspected(self._new))
            if server and server.name == "Redis" and server.number < server_version.FOLDERS_SINCE:
                raise Conflict(
                    f"{server} would start empty: the data in the volume {volume.name} was "
                    "written by Redis 7 or newer.",
                    hint="Set REDIS_IMAGE to a Redis 7 or newer; or delete the data, its sessions "
                    "exported first, with 'pawsctl redis reset'.",
                )

    def _remove_new(self) -> None:
        from docker.errors import NotFound

        try:
            new = self._inspected(self._new)
        except NotFound:
            return
        if self._old is not None and (self._has_answered() or self._is_bound(self._old, new)):
            self._stays = True
            return
        try:
            with translated_errors():
                if self._meanwhile.is_written:
                    # Stop it in order: the last acknowledged writes may not be in its file yet.
                    stop(self._api, new)
                remove(self._api, self._new)
        except PawsctlError:
            self._out_of_the_way(new)
            raise

    def _has_answered(self) -> bool:
        """Whether the new server took data over and may have accepted writes since."""
        if self._has_taken and self._meanwhile.is_written:
            name = self._service.container
            self._undo.left.append(f"{name} runs with the data that it took over, and stays.")
            return True
        return False

    def _is_bound(self, old: dict[str, Any], new: dict[str, Any]) -> bool:
        """Whether the new server may have written data that the old one can't read."""
        names = {each.name for each in self._service.volumes}
        if old["Image"] == new["Image"] or not names & {each.get("Name") for each in old["Mounts"]}:
            return False
        if not server_version.has_run(self._api, new):
            return False
        before = self._version(old)
        after = self._version(new)
        if server_version.reads(before, after):
            return False
        name = self._service.container
        self._undo.left.append(
            f"{name} stays at {after or 'its new image'}, which has opened the data: "
            f"{before or 'the server before'} would not find all of it again, so it was not put "
            "back."
        )
        self._undo.hints.append(
            f"Then go on with the image {new['Config']['Image']}: {self._undo.up}."
        )
        return True

    def _version(self, container: dict[str, Any]) -> server_version.Version | None:
        return server_version.of_image(self._api, self._stack, self._service, container["Image"])

    def _out_of_the_way(self, new: dict[str, Any]) -> None:
        from docker.errors import APIError

        with suppress(APIError):
            stop(self._api, new)
            self._api.rename(new["Id"], container_definition.name_aside(self._service, new))

    def _put_back(self, container: dict[str, Any]) -> None:
        if self._stays:
            return
        try:
            self._back(container)
        except PawsctlError as error:
            raise error.with_context(
                before=f"The container before could not be put back as {self._service.container}."
            ) from error

    def _back(self, container: dict[str, Any]) -> None:
        from docker.errors import NotFound

        # No failure if another `up` has replaced and removed it meanwhile.
        with translated_errors(), suppress(NotFound):
            # Docker goes on with an earlier stop even if nobody waits for it, and would stop the
            # container just after its start.
            stop(self._api, container)
            if self._inspected(container["Id"])["Name"] != container["Name"]:
                self._take_name(container)
            if container_definition.is_running(container):
                self._api.start(container["Id"])

    def _take_name(self, container: dict[str, Any]) -> None:
        from docker.errors import APIError

        deadline = time.monotonic() + _REMOVAL
        while True:
            try:
                self._api.rename(container["Id"], container["Name"].removeprefix("/"))
            except APIError as error:
                # Another container with this name has the data, too. Only if the name is that of
                # our new container, which is being removed, will it be free soon.
                if error.status_code != 409 or time.monotonic() > deadline or not self._is_going():
                    raise
                time.sleep(0.05)
            else:
                return

    def _is_going(self) -> bool:
        from docker.errors import NotFound

        try:
            found = self._inspected(self._service.container)
        except NotFound:
            return True
        return bool(found["Id"] == self._new and found["State"]["Status"] == "removing")

    def _inspected(self, container: str) -> dict[str, Any]:
        found: dict[str, Any] = self._api.inspect_container(container)
        return found


def is_dead(container: Inspected) -> bool:
    """Whether a container is dead: Docker could remove it only in part."""
    return bool(container["State"].get("Dead"))


def clear(api: APIClient, service: Service, container: dict[str, Any], emit: Emit) -> None:
    """Free the name of a dead container: remove it, or else rename it.

    Its volumes are kept, also anonymous ones.
    """
    from docker.errors import APIError

    try:
        api.remove_container(container["Id"], force=True)
    except APIError as error:
        if error.status_code == 404:
            return
        aside = container_definition.name_aside(service, container)
        api.rename(container["Id"], aside)
        emit(Kept("container", aside, f"it is dead, and {explained(error)}"))


def remove_if_possible(api: APIClient, container: dict[str, Any], emit: Emit) -> bool:
    """Remove a container and return whether it is gone; if not, the reason is emitted."""
    try:
        remove(api, container["Id"])
    except OperationFailed as error:
        emit(Kept("container", container["Name"].removeprefix("/"), error.message.rstrip(".")))
        return False
    return True


def stop(api: APIClient, container: Inspected) -> None:
    """Shut a container down in order; no failure if it is gone."""
    from docker.errors import NotFound

    with suppress(NotFound):
        api.stop(container["Id"], timeout=_STOP_GRACE)


def remove(api: APIClient, container_id: str) -> None:
    """Remove a container and its anonymous volumes; no failure if it is gone, or going.

    Raises OperationFailed if the engine can't remove it.
    """
    from docker.errors import APIError

    try:
        api.remove_container(container_id, v=True, force=True)
    except APIError as error:
        if error.status_code not in (404, 409):
            raise OperationFailed(
                f"The container {container_id[:12]} can't be removed: {explained(error)}.",
                hint=f"Remove it with 'docker rm --force {container_id[:12]}'; if that is refused "
                "too, restart Docker first.",
            ) from error
