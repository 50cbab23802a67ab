"""Bring containers up: create, replace if they differ, start, and undo all of it on failure."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from pawsctl.errors import Conflict, OperationFailed, TimedOut
from pawsctl.stack.engine import ports
from pawsctl.stack.engine.docker import container_ready, preflight, swap
from pawsctl.stack.engine.docker.images import pull, reference
from pawsctl.stack.engine.docker.objects import container_definition, mounts, network_volumes
from pawsctl.stack.engine.docker.sdk import refusals
from pawsctl.stack.engine.docker.sdk.sdk_client import explained, translated_errors
from pawsctl.stack.engine.docker.takeover import copy_server, data_place
from pawsctl.stack.engine.docker.takeover.takeover import Takeover
from pawsctl.stack.engine.protocol import Plan, ServiceUp
from pawsctl.stack.engine.rollback import Undo, rollback, uninterrupted
from pawsctl.stack.engine.written_meanwhile import Meanwhile
from pawsctl.stack.events import Created, Emit, Recreating, Started

if TYPE_CHECKING:
    from docker.api import APIClient

    from pawsctl.stack.project.project import Project
    from pawsctl.stack.project.services import Service

# Seconds to wait before looking up a name again that another `up` has taken.
_PAUSE = 0.02
# A network's name may become ambiguous again between two of our requests.
_TRIES = 5
_PORT_TAKEN = (
    *("port is already allocated", "address already in use", "ports are not available"),
    "only one usage of each socket address",
)


class Containers:
    """The containers of one project."""

    def __init__(self, api: APIClient, project: Project) -> None:
        self._api = api
        self._project = project
        self._stack = project.stack

    def all(self) -> list[dict[str, Any]]:
        """Return the `inspect` data of all containers of our services, in compose file order."""
        return preflight.existing(self._api, self._stack)

    def current(self) -> list[dict[str, Any]]:
        """Return the `inspect` data of each service's current container."""
        return preflight.current(self._api, self._stack)

    def find(self, service: Service) -> dict[str, Any] | None:
        """Return the service's container. Raises Conflict if the one of its name is not ours."""
        return preflight.find(self._api, self._stack, service)

    def obstacle(self, service: Service) -> Conflict | None:
        """Return what would keep a service from starting if no container of ours ran."""
        return preflight.obstacle(self._api, self._stack, service)

    def stop(self, container: dict[str, Any]) -> None:
        """Shut a container down in order; no failure if it is gone."""
        swap.stop(self._api, container)

    def remove(self, container_id: str) -> None:
        """Remove a container and its anonymous volumes; no failure if it is gone, or going."""
        swap.remove(self._api, container_id)

    def prepare(self, plan: Plan) -> None:
        """Pull missing images and check that nothing is in the way.

        Raises Conflict, OperationFailed.
        """
        services = self._services(plan)
        images = self._images(services, plan)
        preflight.check(self._api, self._stack, services, leaving=True)
        mounts.check_seen(self._api, self._stack, services, images)

    def up(self, plan: Plan) -> tuple[ServiceUp, ...]:
        """Bring the services up and wait until they answer.

        Raises Conflict, TimedOut, OperationFailed.
        """
        services = self._services(plan)
        images = self._images(services, plan)
        preflight.check(self._api, self._stack, services, leaving=False)
        deadline = time.monotonic() + plan.timeout
        # Once, before anything is replaced.
        check_files = cache(partial(mounts.check_seen, self._api, self._stack, services, images))
        with (
            rollback(
                self._project.hint, partial(preflight.standing, self._api, self._stack)
            ) as undo,
            translated_errors(),
        ):
            meanwhile = Meanwhile(undo)
            done = [
                self._service_up(each, images, plan, deadline, meanwhile, check_files=check_files)
                for each in services
            ]
            for service in services:
                container_ready.wait(self._api, self._stack, service, plan, deadline)
                meanwhile.answered(service.key)
            plan.form(deadline)
        for service in services:
            copy_server.remove_all(self._api, service)
        for each in self.all():
            # A replaced container was kept until now, so that it could be put back.
            if any(
                container_definition.name_aside(service, each) in each["Name"]
                for service in services
            ) and not swap.is_dead(each):
                swap.remove_if_possible(self._api, each, plan.emit)
        return tuple(done)

    def moving(self, service: Service, container: dict[str, Any]) -> Takeover | None:
        """Return the takeover that moves the container's data to the service's volume.

        None if the data is there already.
        """
        if not data_place.has_data(service):
            return None
        password = self._project.password_of(service)
        found = Takeover(self._api, self._stack, service, container, password)
        return found if found.is_needed else None

    def _services(self, plan: Plan) -> list[Service]:
        return [self._stack.service(key) for key in plan.services]

    def _images(self, services: Sequence[Service], plan: Plan) -> dict[str, dict[str, Any]]:
        """Return the `inspect` data of each image, by name; each is pulled at most once."""
        names = dict.fromkeys(each.image for each in services)
        for name in names:
            reference.check(name)
        return {name: pull.image(self._api, name, pull=plan.pull, emit=plan.emit) for name in names}

    def _limits_memory(self) -> bool:
        return bool(self._api.info().get("MemoryLimit", True))

    def _moved(
        self,
        service: Service,
        container: dict[str, Any],
        *,
        images: dict[str, dict[str, Any]],
        plan: Plan,
        deadline: float,
        meanwhile: Meanwhile,
        check_files: Callable[[], None],
    ) -> Takeover | None:
        """Begin the takeover of a container's data, if it lies elsewhere, and return it.

        Only its `finish` is left to do. None if there is nothing to take over.
        """
        moving = self.moving(service, container)
        if moving is None:
            return None
        check_files()
        is_moved = moving.begin(plan, deadline, meanwhile, images[service.image]["Id"])
        return moving if is_moved else None

    def _service_up(
        self,
        service: Service,
        images: dict[str, dict[str, Any]],
        plan: Plan,
        deadline: float,
        meanwhile: Meanwhile,
        *,
        check_files: Callable[[], None],
    ) -> ServiceUp:
        from docker.errors import APIError

        emit, undo, image = plan.emit, meanwhile.undo, images[service.image]
        is_taken = False
        moving = None
        while time.monotonic() < deadline:
            container = self.find(service)
            # A dead container whose data lies elsewhere stays: Docker would remove the data, too.
            if container and swap.is_dead(container) and not self.moving(service, container):
                swap.clear(self._api, service, container, emit)
                container = None
            network = ""
            if not service.on_host:
                network = network_volumes.network(self._api, self._stack, undo, emit)
            if container is not None:
                changed = container_definition.changed(
                    self._stack,
                    service,
                    container,
                    image=image,
                    network_id=network,
                    limits_memory=self._limits_memory,
                )
                moving = self._moved(
                    service,
                    container,
                    images=images,
                    plan=plan,
                    deadline=deadline,
                    meanwhile=meanwhile,
                    check_files=check_files,
                )
                changed = changed or (("volumes",) if moving else ())
                if not changed:
                    return self._started(service, container, emit, undo)
            network_volumes.volumes(self._api, self._stack, service, meanwhile, emit)
            change = swap.Swap(self._api, self._stack, service, meanwhile)
            if container is not None:
                check_files()
                emit(Recreating(service.key, service.container, changed))
                if moving:
                    moving.source.check_writers()
                change.set_aside(container)
                if moving:
                    moving.finish(self._project.directory, emit)
            try:
                self._create(service, image, emit, change, has_taken=moving is not None)
            except APIError as error:
                # Another `up` was quicker, and its container may be the one wanted. Docker reserves
                # the name some time before it shows the container.
                if error.status_code == 409:
                    is_taken = True
                    time.sleep(_PAUSE)
                    continue
                mounts.raise_if_not_seen(service, explained(error), error)
                raise
            if container is not None:
                return ServiceUp(service.key, service.container, "recreated", changed)
            return ServiceUp(service.key, service.container, "created")
        if is_taken:
            raise TimedOut(
                f"The name '{service.container}' is taken by a container that does not show.",
                hint="Another program may be creating it: try again.",
            )
        raise TimedOut(
            f"{service.key} could not be brought up within {plan.timeout:g} s.",
            hint="Give it more time with --timeout.",
        )

    def _started(
        self, service: Service, container: dict[str, Any], emit: Emit, undo: Undo
    ) -> ServiceUp:
        if container["State"]["Paused"]:
            self._api.unpause(container["Id"])
        elif container_definition.is_running(container):
            return ServiceUp(service.key, service.container, "running")
        else:
            undo.callback(self.stop, container)
            self._start(service, container["Id"])
        emit(Started(service.key, service.container))
        return ServiceUp(service.key, service.container, "started")

    def _create(
        self,
        service: Service,
        image: dict[str, Any],
        emit: Emit,
        change: swap.Swap,
        *,
        has_taken: bool,
    ) -> None:
        definition = container_definition.definition(self._stack, service, image["Id"])
        with uninterrupted():
            made = self._api.create_container_from_config(definition, service.container)["Id"]
            password = self._project.password_of(service)
            change.created(made, has_taken=has_taken, password=password)
        emit(Created("container", service.container))
        change.check_data()
        self._start(service, made)

    def _start(self, service: Service, container_id: str) -> None:
        from docker.errors import APIError

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
                if "ambiguous" in reason and attempt < _TRIES - 1:
                    for extra in network_volumes.networks(self._api, self._stack)[1:]:
                        network_volumes.remove_network(self._api, extra["Id"])
                    continue
                if any(each in reason.lower() for each in _PORT_TAKEN):
                    raise preflight.port_taken(self._api, service, reason) from error
                mounts.raise_if_not_seen(service, reason, error)
                raise OperationFailed(
                    f"{service.key} can't be started: {reason}.",
                    hint=refusals.hint(reason, error.status_code),
                ) from error
            else:
                return
