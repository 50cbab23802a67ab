"""This project: its settings, what the compose file makes of them, and its state directory."""

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

# Asks a service whether it is ready: an empty string, or what it says instead.
Probe = Callable[[], str]


REDIS = "redis"
COMMANDER = "redis-commander"

# Bytes for a container whose Redis is small, in which the server itself has room, too.
_LEAST_MEMORY = 512 << 20


@dataclass(frozen=True)
class Project:
    """What an engine has to know."""

    settings: StackSettings
    topology: Topology
    stack: Stack
    directory: Path

    @property
    def redis(self) -> Service:
        """The service that this is all about, or the first of them."""
        return self.stack.services[0]

    @property
    def servers(self) -> tuple[Service, ...]:
        """The services that are a Redis or a Sentinel, and need no container to run."""
        return tuple(each for each in self.stack.services if each.key != COMMANDER)

    @property
    def hint(self) -> str:
        """The option that makes a command act on this topology, with a blank before it."""
        return layout.option(self.topology)

    @property
    def password(self) -> str | None:
        """What Redis asks for."""
        return self.settings.redis_password

    def probes(self) -> dict[str, Probe]:
        """How each service is asked whether it is ready."""
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
        """What a server asks for: Sentinels ask for nothing."""
        return None if layout.is_sentinel(service) else self.password


def port_setting(service: Service) -> str:
    """The setting that gives a service another port."""
    return "REDIS_COMMANDER_PORT" if service.key == COMMANDER else "REDIS_PORT"


def load(
    settings: StackSettings,
    topology: Topology = "single",
    *,
    with_files: bool = False,
    own_files: bool = False,
    files_at: Path | None = None,
) -> Project:
    """The project of these settings, in one of its topologies.

    `with_files` renders the files that the services mount, into a state directory that is made.
    Without it nothing is written, and the descriptions name the files of compose/defaults: that is
    enough for whoever creates nothing. `own_files` renders them even if they say what those of
    compose/defaults say; `files_at` is where they are already. Raises OperationFailed where the
    compose file or the state directory can't be used.
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
    """How many bytes the container of a Redis with that limit may use; 0 for no limit.

    Twice as many: rewriting the append-only file forks, and a fork may touch every page.
    """
    limit = sizes.in_bytes(maxmemory)
    return max(2 * limit, _LEAST_MEMORY) if limit else 0
