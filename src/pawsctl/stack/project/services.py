"""The services of a project, as its compose file describes them. Pure."""

from pathlib import Path

from msgspec import Struct


class Port(Struct, frozen=True):
    """A port mapping: `host`:`published` outside leads to `target` inside."""

    host: str
    published: int
    target: int


class Volume(Struct, frozen=True):
    """Data that outlives a container. `key` is its name in the file, `name` its name for Docker."""

    key: str
    name: str
    target: str


class File(Struct, frozen=True):
    """A file of this machine that a container reads at `target`."""

    source: Path
    target: str


class HealthCheck(Struct, frozen=True):
    """A health check. Times in seconds."""

    test: tuple[str, ...]
    interval: float
    timeout: float
    retries: int


class Service(Struct, frozen=True):
    """One service. `memory` is in bytes.

    If `working_dir`, `entrypoint` or `command` is empty, the image's is used.

    With `on_host` it is on the host's network: its ports are not published, it listens on them.
    """

    key: str
    image: str
    container: str
    working_dir: str
    entrypoint: tuple[str, ...]
    command: tuple[str, ...]
    memory: int
    ports: tuple[Port, ...]
    on_host: bool
    volumes: tuple[Volume, ...]
    files: tuple[File, ...]
    health: HealthCheck
    restart: str
    depends_on: tuple[str, ...]


class Stack(Struct, frozen=True):
    """All services of a project; `path` is the compose file, `network` joins the services."""

    path: Path
    project: str
    network: str
    services: tuple[Service, ...]

    def service(self, key: str) -> Service:
        """Return the service with this name. Raises KeyError if the file has none."""
        return {each.key: each for each in self.services}[key]
