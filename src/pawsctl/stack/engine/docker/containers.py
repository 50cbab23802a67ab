"""The containers of a project: bring them up, and undo all of it on failure."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from pawsctl.errors import Conflict
from pawsctl.stack.engine.docker import container_ready, preflight, swap
from pawsctl.stack.engine.docker.images import pull, reference
from pawsctl.stack.engine.docker.objects import container_definition, labels, mounts
from pawsctl.stack.engine.docker.sdk.sdk_client import translated_errors
from pawsctl.stack.engine.docker.service_up import OneService, takeover_of
from pawsctl.stack.engine.docker.takeover import copy_server
from pawsctl.stack.engine.docker.takeover.ending import Ending
from pawsctl.stack.engine.docker.takeover.takeover import Takeover
from pawsctl.stack.engine.protocol import Plan, ServiceUp
from pawsctl.stack.engine.rollback import rollback, uninterrupted
from pawsctl.stack.engine.written_meanwhile import Meanwhile
from pawsctl.stack.events import AllUp, Emit

if TYPE_CHECKING:
    from docker.api import APIClient

    from pawsctl.stack.project.project import Project
    from pawsctl.stack.project.services import Service


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

    def ending(self, container: dict[str, Any], emit: Emit) -> Ending:
        """Return what has the container's data on disk before it is stopped."""
        service = self._stack.service(container["Config"]["Labels"][labels.SERVICE])
        return Ending(self._api, self._project, service, container, emit)

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
                OneService(
                    self._api,
                    self._project,
                    each,
                    images[each.image],
                    plan=plan,
                    deadline=deadline,
                    meanwhile=meanwhile,
                    check_files=check_files,
                ).up()
                for each in services
            ]
            for service in services:
                container_ready.wait(self._api, self._stack, service, plan, deadline)
                meanwhile.answered(service.key)
            plan.form(deadline)
        with uninterrupted(is_done=True):
            plan.emit(AllUp())
            self._tidy(services, plan.emit)
        return tuple(done)

    def _tidy(self, services: Sequence[Service], emit: Emit) -> None:
        """Remove the containers that were only needed until all services answered."""
        for service in services:
            copy_server.remove_all(self._api, service)
        for each in self.all():
            # A replaced container was kept until now, so that it could be put back.
            if any(
                container_definition.name_aside(service, each) in each["Name"]
                for service in services
            ) and not swap.is_dead(each):
                swap.remove_if_possible(self._api, each, emit)

    def moving(self, service: Service, container: dict[str, Any]) -> Takeover | None:
        """Return the takeover that moves the container's data to the service's volume, if any."""
        return takeover_of(self._api, self._project, service, container)

    def _services(self, plan: Plan) -> list[Service]:
        return [self._stack.service(key) for key in plan.services]

    def _images(self, services: Sequence[Service], plan: Plan) -> dict[str, dict[str, Any]]:
        """Return the `inspect` data of each image, by name; each is pulled at most once."""
        names = dict.fromkeys(each.image for each in services)
        for name in names:
            reference.check(name)
        return {name: pull.image(self._api, name, pull=plan.pull, emit=plan.emit) for name in names}
