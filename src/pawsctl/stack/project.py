"""This project: its settings, what the compose file makes of them, and its state directory."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pawsctl.settings import StackSettings
from pawsctl.stack import commander, files, spec, wire
from pawsctl.stack.engine import Probe
from pawsctl.stack.services import Service, Stack

REDIS = "redis"
COMMANDER = "redis-commander"

# The setting that gives a service another port.
PORT_SETTING = {REDIS: "REDIS_PORT", COMMANDER: "REDIS_COMMANDER_PORT"}


@dataclass(frozen=True)
class Project:
    """What an engine has to know."""

    settings: StackSettings
    stack: Stack
    directory: Path

    @property
    def redis(self) -> Service:
        """The service that this is all about."""
        return self.stack.service(REDIS)

    @property
    def password(self) -> str | None:
        """What Redis asks for."""
        return self.settings.redis_password

    def probes(self) -> dict[str, Probe]:
        """How each service is asked whether it is ready."""
        settings = self.settings
        return {
            REDIS: partial(wire.ping, settings.redis_port, settings.redis_password),
            COMMANDER: partial(
                commander.probe,
                settings.commander_port,
                settings.commander_user,
                settings.commander_password,
            ),
        }


def load(settings: StackSettings, *, with_files: bool = False) -> Project:
    """The project of these settings.

    `with_files` renders the files that the services mount; without it the descriptions name those
    of compose/defaults, which is as good where nothing is created. Raises OperationFailed where
    the compose file or the state directory can't be used.
    """
    directory = files.state_directory(settings.project)
    path = files.compose_file()
    variables = {
        "PAWSCTL_PROJECT": settings.project,
        "REDIS_IMAGE": settings.redis_image,
        "REDIS_PORT": str(settings.redis_port),
        "REDIS_MAXMEMORY": settings.redis_maxmemory,
        "REDIS_COMMANDER_IMAGE": settings.commander_image,
        "REDIS_COMMANDER_PORT": str(settings.commander_port),
    }
    if with_files:
        variables["PAWSCTL_FILES"] = str(files.rendered(settings, directory))
    return Project(settings=settings, stack=spec.read(path, variables), directory=directory)
