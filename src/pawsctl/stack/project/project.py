"""The project: its settings, its services for these settings, and its state directory."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pawsctl import sizes
from pawsctl.config.settings import StackSettings
from pawsctl.connection import probe
from pawsctl.stack.project import commander_probe, compose_file, layout, mounted_files
from pawsctl.stack.project.layout import Topology
from pawsctl.stack.project.services import Service, Stack

# Returns an empty string if a service is ready, else its answer or error.
Probe = Callable[[], str]


REDIS = "redis"
COMMANDER = "redis-commander"

# Bytes; the least limit of a container, so that the server itself has room.
_LEAST_MEMORY = 512 << 20


@dataclass(frozen=True)
class Project:
    """The facts about a project that an engine needs."""

    settings: StackSettings
    topology: Topology
    stack: Stack
    directory: Path

    @property
    def redis(self) -> Service:
        """The Redis service, or the first server of a topology."""
        return self.stack.services[0]

    @property
    def servers(self) -> tuple[Service, ...]:
        """The Redis and Sentinel services, which can run without a container."""
        return tuple(each for each in self.stack.services if each.key != COMMANDER)

    @property
    def hint(self) -> str:
        """The option that makes a command act on this topology, with a space before it."""
        return layout.option(self.topology)

    @property
    def password(self) -> str | None:
        """The password of Redis, or None."""
        return self.settings.redis_password

    def probes(self) -> dict[str, Probe]:
        """Return for each service the function that checks whether it is ready."""
        settings = self.settings
        probes: dict[str, Probe] = {
            each.key: partial(probe.ping, each.ports[0].published, self.password_of(each))
            for each in self.servers
        }
        probes[COMMANDER] = commander_probe.Probe(
            settings.commander_port,
            settings.commander_user,
            settings.commander_password,
        )
        return probes

    def password_of(self, service: Service) -> str | None:
        """Return the password of a server, or None; Sentinels have none."""
        return None if layout.is_sentinel(service) else self.password


def port_setting(service: Service) -> str:
    """Return the name of the setting for a service's port."""
    return "REDIS_COMMANDER_PORT" if service.key == COMMANDER else "REDIS_PORT"


def load(
    settings: StackSettings,
    topology: Topology = "single",
    *,
    with_files: bool = False,
    own_files: bool = False,
    files_at: Path | None = None,
) -> Project:
    """Return the project of these settings, in one of its topologies.

    `with_files` renders the files that the services mount into the state directory, which is
    created. Without it nothing is written, and the services name the files of compose/defaults:
    enough for callers that create nothing. `own_files` renders them even if they are the same as
    those of compose/defaults; `files_at` is a directory that has them already. Raises
    OperationFailed if the compose file or the state directory can't be used.
    """
    ports = layout.variables(topology, settings.redis_port)
    place = mounted_files.state_directory if with_files else mounted_files.state_path
    directory = place(settings.project, topology)
    path = mounted_files.compose_file(topology)
    variables = {
        "PAWSCTL_PROJECT": settings.project,
        "REDIS_IMAGE": settings.redis_image,
        "REDIS_PORT": str(settings.redis_port),
        "REDIS_MAXMEMORY": settings.redis_maxmemory,
        "REDIS_MEMORY_LIMIT": f"{_memory_limit(settings.redis_maxmemory)}b",
        "REDIS_COMMANDER_IMAGE": settings.commander_image,
        "REDIS_COMMANDER_PORT": str(settings.commander_port),
        **ports,
    }
    if with_files:
        variables["PAWSCTL_FILES"] = str(mounted_files.rendered(settings, directory, own=own_files))
    elif files_at is not None:
        variables["PAWSCTL_FILES"] = str(files_at)
    stack = compose_file.read(path, variables)
    return Project(settings=settings, topology=topology, stack=stack, directory=directory)


def _memory_limit(maxmemory: str) -> int:
    """Return the memory limit in bytes of a container whose Redis has `maxmemory`; 0 for none.

    It is twice as much: rewriting the append-only file forks, and a fork may touch every page.
    """
    limit = sizes.in_bytes(maxmemory)
    return max(2 * limit, _LEAST_MEMORY) if limit else 0
