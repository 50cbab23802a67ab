"""The Docker engine, which runs the project's services as containers."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pawsctl.errors import Conflict, OperationFailed
from pawsctl.stack.engine import held_on_docker
from pawsctl.stack.engine.docker import (
    container_logs,
    left_running,
    restart_loop,
    service_status,
    swap,
)
from pawsctl.stack.engine.docker.containers import Containers
from pawsctl.stack.engine.docker.objects import data_volumes as disk
from pawsctl.stack.engine.docker.objects import labels, mounts, network_volumes, volume_content
from pawsctl.stack.engine.docker.objects.container_definition import is_running
from pawsctl.stack.engine.docker.sdk.sdk_client import translated_errors
from pawsctl.stack.engine.docker.takeover import copy_server
from pawsctl.stack.engine.protocol import (
    Astray,
    ClientCommand,
    LogLine,
    LogQuery,
    Plan,
    ServiceStatus,
    ServiceUp,
    Thing,
)
from pawsctl.stack.events import Emit, Ends, EngineName, Kept, Removed, Stopped

if TYPE_CHECKING:
    from docker.api import APIClient

    from pawsctl.stack.project.project import Project

# Read inside the container, so that the password is not in our arguments or our environment.
_CLIENT = (
    "[ ! -s /run/secrets/redis_password ]"
    ' || export REDISCLI_AUTH="$(cat /run/secrets/redis_password)"; exec redis-cli "$@"'
)


class DockerEngine:
    """Runs a project's services as containers of the Docker Engine behind `api`."""

    name: EngineName = "docker"

    def __init__(self, api: APIClient, project: Project) -> None:
        self._api = api
        self._project = project
        self._stack = project.stack
        self._start_it = f"Start it with 'pawsctl redis up{project.hint}'."
        self._containers = Containers(api, project)

    def prepare(self, plan: Plan) -> None:
        """Pull missing images, and check that names and ports are free or ours."""
        with translated_errors():
            self._containers.prepare(plan)

    def up(self, plan: Plan) -> tuple[ServiceUp, ...]:
        """Create, start and wait for the services; containers that differ are replaced."""
        with translated_errors():
            done = self._containers.up(plan)
        servers = [each for each in self._stack.services if each.volumes]
        held_on_docker.remember(self._project.directory, [each.volumes[0].name for each in servers])
        return done

    def stop(self, emit: Emit) -> tuple[str, ...]:
        """Stop all running containers and return their names."""
        stopped = []
        with translated_errors():
            for found in reversed(self._containers.all()):
                service = self._stack.service(_service(found))
                password = self._project.password_of(service)
                container = restart_loop.between(self._api, service, found, password)
                # Between two restarts nothing runs, and Docker would start it again.
                if is_running(container) or container["State"]["Restarting"]:
                    with self._containers.ending(container, emit).settled():
                        emit(Ends())
                        self._containers.stop(container)
                    stopped.append(_name(container))
                    emit(Stopped(_service(container), _name(container)))
        return tuple(stopped)

    def end(self, emit: Emit) -> None:
        """Stop all containers except those whose data lies elsewhere.

        Raises Conflict if one can't write its data.
        """
        with translated_errors():
            for each in self._containers.all():
                if not self._containers.moving(self._stack.service(_service(each)), each):
                    self._containers.ending(each, emit).write_out()
                    self._containers.stop(each)

    def kill(self, service: str, emit: Emit) -> None:
        """Kill the service's container; Docker does not start it again by itself."""
        from docker.errors import NotFound

        with translated_errors(), suppress(NotFound):
            for each in self._containers.current():
                if _service(each) == service:
                    self._containers.ending(each, emit).write_out()
                    self._api.kill(each["Id"])

    def astray(self) -> tuple[Astray, ...]:
        """Return the containers whose data is not in the project's volume."""
        with translated_errors():
            found = [
                self._containers.moving(self._stack.service(_service(each)), each)
                for each in self._containers.all()
            ]
        sources = [moving.source for moving in found if moving]
        return tuple(
            Astray(each.name, each.place.words, each.place.volume, each.place.path)
            for each in sources
            # One that was switched off is switched on before its server is stopped.
            if not each.place.is_switched_off and not each.is_empty
        )

    def belongings(self, *, volumes: bool) -> tuple[Thing, ...]:
        """Return the containers, the network, and with `volumes` all volumes that hold data."""
        with translated_errors():
            existing = self._containers.all()
            things = [Thing("container", _name(each)) for each in existing]
            things += [Thing("network", each["Name"]) for each in self._own_networks()]
            if volumes:
                things += [Thing("volume", name) for name in self._volumes(existing)]
        return tuple(things)

    def check_deletable(self) -> None:
        """Raise Conflict if a container that is not this project's uses a volume with its data."""
        with translated_errors():
            existing = self._containers.all()
            ours = {_name(each) for each in existing}
            ours |= {name for each in self._stack.services for name in copy_server.names(each)}
            disk.check_deletable(self._api, self._volumes(existing), ours)

    def down(self, *, volumes: bool, emit: Emit) -> tuple[Thing, ...]:
        """Stop and remove the containers, the network and with `volumes` the data volumes.

        Raises Conflict at the end if a volume was kept, since another container uses it.
        """
        astray = self.astray() if volumes else ()
        with translated_errors():
            existing = self._containers.all()
            for container in existing:
                if not is_running(container):
                    left_running.check(self._api, container["Id"])
            names = self._volumes(existing) if volumes else []
            for each in () if volumes else reversed(existing):
                self._containers.ending(each, emit).write_out()
            emit(Ends())
            gone = [_name(each) for each in reversed(existing) if self._is_removed(each, emit)]
            removed = [Thing("container", name) for name in gone]
            for network in self._own_networks():
                if network_volumes.remove_network(self._api, network["Id"]):
                    removed.append(Thing("network", network["Name"]))
                    emit(Removed("network", network["Name"]))
                else:
                    emit(Kept("network", network["Name"], "other containers use it"))
            for service in self._stack.services:
                copy_server.remove_all(self._api, service)
            deleted, kept = disk.delete(self._api, names, emit)
            removed += [Thing("volume", name) for name in deleted]
            for each in astray:
                if each.folder:
                    emit(
                        Kept("data", each.folder, "pawsctl deletes no folder that it did not make")
                    )
            stuck = {_name(each) for each in existing} - {*gone}
            for name in kept:
                others = disk.users(self._api, name, stuck)
                if stuck and not others and volume_content.delete(self._api, self._stack, name):
                    emit(Kept("volume", name, "a dead container holds it; its data is deleted"))
                    continue
                raise disk.in_use(
                    name,
                    others,
                    "Everything else was removed.",
                    f"'pawsctl redis up{self._project.hint}' goes on with its data.",
                )
            if volumes:
                disk.forget(self._project.directory)
                held_on_docker.forget(self._project.directory)
        return tuple(removed)

    def status(self) -> tuple[ServiceStatus, ...]:
        """Return the status of every service that has a container, and always that of redis."""
        with translated_errors():
            found = {_service(each): service_status.of(each) for each in self._containers.current()}
        redis = self._stack.services[0]
        absent = ServiceStatus(redis.key, redis.container, "absent", None, (), None)
        return tuple({redis.key: absent, **found}.values())

    def without_data(self) -> frozenset[str]:
        """Return the services that keep data, and whose volume does not exist."""
        with translated_errors():
            return disk.missing(self._api, self._stack)

    def files_in_use(self) -> frozenset[Path]:
        """Return the directories that containers mount files from, including stopped ones."""
        with translated_errors():
            found = self._containers.all()
        return frozenset(
            Path(source).parent for each in found for source in mounts.sources(each).values()
        )

    def obstacle(self) -> Conflict | None:
        """Return the conflict if a foreign container has our name or a port is taken."""
        with translated_errors():
            found = (self._containers.obstacle(each) for each in self._project.servers)
            return next(filter(None, found), None)

    def misplaced(self) -> Conflict | None:
        """Return None: Docker keeps what a container mounts where it is."""

    def logs(self, services: Collection[str], query: LogQuery) -> Iterator[LogLine]:
        """Yield the log lines of the containers. Raises OperationFailed if one is missing."""
        with translated_errors():
            found = {_service(each): each["Id"] for each in self._containers.current()}
            missing = [each for each in services if each not in found]
            if missing or not found:
                raise OperationFailed(
                    f"There is no container of {', '.join(missing) or 'this project'}.",
                    hint=self._start_it,
                )
            wanted = {name: found[name] for name in found if not services or name in services}
            yield from container_logs.read(self._api, wanted, query)

    def client(self, arguments: Sequence[str], *, terminal: bool) -> ClientCommand:
        """Return a `docker exec` of the container's redis-cli: that command handles terminals.

        Raises OperationFailed if Redis is not running or the docker command is missing.
        """
        with translated_errors():
            redis = self._containers.find(self._stack.services[0])
        if redis is None or not is_running(redis):
            raise OperationFailed("Redis is not running.", hint=self._start_it)
        docker = shutil.which("docker")
        if docker is None:
            raise OperationFailed(
                "The docker command, which runs a redis-cli in the container, is not on PATH.",
                hint="Install it (the package docker-cli or docker-ce-cli), or use a redis-cli of "
                "your own.",
            )
        flags = "-it" if terminal else "-i"
        inside = (_name(redis), "sh", "-c", _CLIENT, "redis-cli", *arguments)
        return ClientCommand((docker, "exec", flags, *inside), {})

    def _is_removed(self, container: dict[str, Any], emit: Emit) -> bool:
        """Stop and remove a container; a dead one that can't be removed is only reported."""
        self._containers.stop(container)
        if not swap.is_dead(container):
            self._containers.remove(container["Id"])
        elif not swap.remove_if_possible(self._api, container, emit):
            return False
        emit(Removed("container", _name(container)))
        return True

    def _own_networks(self) -> list[dict[str, Any]]:
        return [
            each
            for each in network_volumes.networks(self._api, self._stack)
            if (each["Labels"] or {}).get(labels.PROJECT) == self._stack.project
        ]

    def _volumes(self, existing: Sequence[dict[str, Any]]) -> list[str]:
        return disk.all_of(self._api, self._stack, existing, self._project.directory)


def _name(container: dict[str, Any]) -> str:
    return str(container["Name"]).removeprefix("/")


def _service(container: dict[str, Any]) -> str:
    return str(container["Config"]["Labels"][labels.SERVICE])
