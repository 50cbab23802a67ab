"""Bring one service's container up: create, replace or start it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pawsctl.errors import OperationFailed, TimedOut
from pawsctl.stack.engine import ports
from pawsctl.stack.engine.docker import left_running, preflight, swap
from pawsctl.stack.engine.docker.objects import container_definition, mounts, network_volumes
from pawsctl.stack.engine.docker.sdk import refusals
from pawsctl.stack.engine.docker.sdk.sdk_client import explained
from pawsctl.stack.engine.docker.takeover import copy_server, data_place
from pawsctl.stack.engine.docker.takeover.ending import Ending
from pawsctl.stack.engine.docker.takeover.snapshot import Snapshot
from pawsctl.stack.engine.docker.takeover.takeover import Takeover
from pawsctl.stack.engine.protocol import Plan, ServiceUp
from pawsctl.stack.engine.rollback import uninterrupted
from pawsctl.stack.engine.written_meanwhile import Meanwhile
from pawsctl.stack.events import Created, NotRead, Recreating, Started

if TYPE_CHECKING:
    from docker.api import APIClient

    from pawsctl.stack.project.project import Project
    from pawsctl.stack.project.services import Service

# Seconds to wait before looking up a name again that another `up` has taken.
_PAUSE = 0.02
# A network's name may become ambiguous again between two of our requests.
_TRIES = 5
# Seconds between two tries while containerd clears up.
_CLEARING = 0.5
_PORT_TAKEN = (
    "port is already allocated",
    "address already in use",
    "ports are not available",
    "only one usage of each socket address",
)


def takeover_of(
    api: APIClient, project: Project, service: Service, container: dict[str, Any]
) -> Takeover | None:
    """Return the takeover that moves the container's data to the service's volume.

    None if the data is there already.
    """
    if not data_place.has_data(service):
        return None
    found = Takeover(api, project, service, container)
    return found if found.is_needed else None


class OneService:
    """One service of an `up`, which is over at the `deadline`.

    `image` is the `inspect` data of its image. `check_files` raises if the engine does not see the
    files that services mount.
    """

    def __init__(
        self,
        api: APIClient,
        project: Project,
        service: Service,
        image: dict[str, Any],
        *,
        plan: Plan,
        deadline: float,
        meanwhile: Meanwhile,
        check_files: Callable[[], None],
    ) -> None:
        self._api = api
        self._project = project
        self._stack = project.stack
        self._service = service
        self._image = image
        self._plan = plan
        self._deadline = deadline
        self._meanwhile = meanwhile
        self._check_files = check_files
        self._emit = plan.emit
        # A takeover that was begun is kept for a later attempt.
        self._moving: Takeover | None = None
        # Its volume was there before.
        self._has_volume = False

    def up(self) -> ServiceUp:
        """Create, replace or start the container. Raises TimedOut, Conflict, OperationFailed."""
        is_taken = False
        while time.monotonic() < self._deadline:
            if done := self._attempt():
                return done
            is_taken = True
            time.sleep(_PAUSE)
        if is_taken:
            raise TimedOut(
                f"The name '{self._service.container}' is taken by a container that does not show.",
                hint="Another program may be creating it: try again.",
            )
        raise TimedOut(
            f"{self._service.key} could not be brought up within {self._plan.timeout:g} s.",
            hint="Give it more time with --timeout.",
        )

    def _attempt(self) -> ServiceUp | None:
        """Return what was done; None if somebody else has just taken the container's name."""
        service = self._service
        container = self._standing()
        network = ""
        if not service.on_host:
            undo = self._meanwhile.undo
            network = network_volumes.network(self._api, self._stack, undo, self._emit)
        changed: tuple[str, ...] = ()
        if container is not None:
            changed = self._changed(container, network)
            if not changed:
                return self._started(container)
        self._has_volume = network_volumes.volumes(
            self._api, self._stack, service, self._meanwhile, self._emit
        )
        is_new = container is None and service.volumes and not self._has_volume
        if is_new and (unread := network_volumes.others(self._api, self._stack)):
            self._emit(NotRead(unread))
        change = swap.Swap(self._api, self._stack, service, self._meanwhile)
        if container is not None:
            self._set_aside(container, changed, change)
        if not self._is_created(change):
            return None
        if container is None:
            return ServiceUp(service.key, service.container, "created")
        return ServiceUp(service.key, service.container, "recreated", changed)

    def _standing(self) -> dict[str, Any] | None:
        """Return the service's container, after removing one that is dead."""
        container = preflight.find(self._api, self._stack, self._service)
        # A dead container whose data lies elsewhere stays: Docker would remove the data, too.
        if (
            container
            and swap.is_dead(container)
            and not takeover_of(self._api, self._project, self._service, container)
        ):
            swap.clear(self._api, self._service, container, self._emit)
            return None
        return container

    def _changed(self, container: dict[str, Any], network: str) -> tuple[str, ...]:
        """Return the fields that have to change; begin the takeover of data that lies elsewhere."""
        changed = container_definition.changed(
            self._stack,
            self._service,
            container,
            image=self._image,
            network_id=network,
            limits_memory=self._limits_memory,
        )
        self._moving = takeover_of(self._api, self._project, self._service, container)
        if self._moving is not None:
            self._check_files()
            if not self._moving.begin(
                self._plan, self._deadline, self._meanwhile, self._image["Id"]
            ):
                self._moving = None
        return changed or (("volumes",) if self._moving else ())

    def _limits_memory(self) -> bool:
        return bool(self._api.info().get("MemoryLimit", True))

    def _set_aside(
        self, container: dict[str, Any], changed: tuple[str, ...], change: swap.Swap
    ) -> None:
        """Make way for the successor, and finish the takeover for it."""
        self._check_files()
        if not container_definition.is_running(container):
            left_running.check(self._api, container["Id"])
        service = self._service
        is_seen = self._moving is not None
        if not is_seen:
            ending = Ending(self._api, self._project, service, container, self._emit)
            is_seen = ending.write_out()
        self._emit(Recreating(service.key, service.container, changed, is_seen))
        if self._moving:
            self._moving.source.check_writers()
        change.set_aside(container)
        if self._moving:
            self._moving.finish(self._project.directory, self._emit)

    def _is_created(self, change: swap.Swap) -> bool:
        """Create and start the container; return False if its name is taken."""
        from docker.errors import APIError

        try:
            self._create(change)
        except APIError as error:
            # Another `up` was quicker, and its container may be the one wanted. Docker reserves
            # the name some time before it shows the container.
            if error.status_code == 409:
                return False
            mounts.raise_if_not_seen(self._service, explained(error), error)
            raise
        return True

    def _create(self, change: swap.Swap) -> None:
        service = self._service
        definition = container_definition.definition(self._stack, service, self._image["Id"])
        with uninterrupted():
            made = self._api.create_container_from_config(definition, service.container)["Id"]
            password = self._project.password_of(service)
            change.created(made, has_taken=self._moving is not None, password=password)
        self._emit(Created("container", service.container))
        change.check_data()
        if self._has_volume and self._moving is None:
            if change.is_first and data_place.has_data(service):
                # A server that a killed pawsctl has left on the volume.
                copy_server.remove_all(self._api, service)
            self._read_snapshot(made)
        self._start(made)

    def _read_snapshot(self, container_id: str) -> None:
        """Have a container that does not run find what is in a snapshot alone."""
        service = self._service
        if service.on_host or not data_place.has_data(service):
            return
        snapshot = Snapshot(self._api, self._project, service, container_id, self._image["Id"])
        if snapshot.is_unread():
            snapshot.load(self._plan, self._deadline, self._meanwhile.undo)

    def _started(self, container: dict[str, Any]) -> ServiceUp:
        """Start a container that is as it should be, unless it runs."""
        service = self._service
        if container["State"]["Paused"]:
            self._api.unpause(container["Id"])
        elif container_definition.is_running(container):
            return ServiceUp(service.key, service.container, "running")
        else:
            self._meanwhile.undo.callback(swap.stop, self._api, container)
            self._read_snapshot(container["Id"])
            self._start(container["Id"])
        self._emit(Started(service.key, service.container))
        return ServiceUp(service.key, service.container, "started")

    def _start(self, container_id: str) -> None:
        from docker.errors import APIError

        service = self._service
        for port in service.ports if service.on_host else ():
            # On the host network Docker publishes no ports: it would start a server that then
            # finds its port taken.
            if not ports.is_free(port.published):
                raise preflight.port_taken(self._api, service, f":{port.published}")
        for attempt in range(_TRIES):
            try:
                self._api.start(container_id)
            except APIError as error:
                reason = explained(error)
                is_last = attempt == _TRIES - 1
                if not is_last and left_running.is_cleared_up(container_id, reason):
                    time.sleep(_CLEARING)
                    continue
                if not is_last and "ambiguous" in reason:
                    for extra in network_volumes.networks(self._api, self._stack)[1:]:
                        network_volumes.remove_network(self._api, extra["Id"])
                    continue
                if any(each in reason.lower() for each in _PORT_TAKEN):
                    raise preflight.port_taken(self._api, service, reason) from error
                mounts.raise_if_not_seen(service, reason, error)
                raise OperationFailed(
                    f"{service.key} can't be started: {reason}.",
                    hint=left_running.hint(container_id, reason)
                    or refusals.hint(reason, error.status_code),
                ) from error
            else:
                return
