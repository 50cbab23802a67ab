"""An engine that can't see our files is detected before anything is stopped or deleted."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import docker
import pytest
from docker.errors import NotFound

from pawsctl.config import load_settings
from pawsctl.stack.project import mounted_files
from tests.docker_fixtures import PROJECT_LABEL, remove_project
from tests.second_engine import second_engine
from tests.stack_fixtures import NOTHING, Docker, Stack
from tests.standins.images import REDIS

PASSWORD = {"REDIS_PASSWORD": "secret-of-mine"}


@pytest.fixture(scope="module")
def blind_spot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory that is a different one for the engine."""
    return tmp_path_factory.mktemp("unseen")


@pytest.fixture(scope="module")
def blind_engine(docker_engine: docker.DockerClient, blind_spot: Path) -> Iterator[str]:
    """An engine that sees neither that directory nor pawsctl's own."""
    package = mounted_files.compose_file().parent
    with second_engine(images=("redis:7.2-alpine",), hidden=(blind_spot, package)) as address:
        yield address


@pytest.fixture
def blind_stack(blind_engine: str, project: str, tmp_path: Path) -> Iterator[Stack]:
    """pawsctl with that engine, and a state directory that both see."""
    stack = Stack(tmp_path, project, "docker")
    stack.environment["DOCKER_HOST"] = blind_engine
    yield stack
    with closing(docker.DockerClient(blind_engine)) as client:
        remove_project(client, project)


@pytest.fixture
def view(blind_engine: str, project: str) -> Iterator[Docker]:
    """The project's view of that engine."""
    with closing(docker.DockerClient(blind_engine)) as client:
        yield Docker(client, project)


def _rendered(state: Path) -> list[Path]:
    return [each for each in state.rglob("*") if "files" in each.parts]


def test_up_says_so_and_leaves_no_password(
    blind_stack: Stack, view: Docker, blind_spot: Path
) -> None:
    """The error names both solutions."""
    done = blind_stack("redis", "up", env={"XDG_STATE_HOME": str(blind_spot), **PASSWORD})

    assert done.status == 1
    assert f"does not see {blind_spot}" in done.err
    assert "XDG_STATE_HOME" in done.err
    assert "PAWSCTL_ENGINE=embedded" in done.err
    assert view.names() == NOTHING
    # Other tests have projects of their own there.
    assert _rendered(blind_spot / "pawsctl" / blind_stack.project) == []


def test_the_defaults_are_copied_to_where_it_sees_them(blind_stack: Stack, view: Docker) -> None:
    """The engine can't see pawsctl's own directory either."""
    first = blind_stack("redis", "up")
    before = view.container().id
    again = blind_stack("redis", "up")
    restarted = blind_stack("redis", "restart")
    reset = blind_stack("redis", "reset", "--yes")

    assert first.status == 0, first.err
    assert "does not see" not in first.err
    assert "already running" in again.text
    assert restarted.status == 0, restarted.err
    assert view.container().id != before
    assert reset.status == 0, reset.err
    assert blind_stack("redis", "down").status == 0
    assert _rendered(blind_stack.folder / "state") == []


@pytest.mark.parametrize("command", [["up"], ["restart"], ["reset", "--yes"], ["dev"]])
def test_nothing_is_stopped_or_deleted(
    blind_stack: Stack, view: Docker, blind_spot: Path, command: list[str]
) -> None:
    """The running Redis keeps running, with its data."""
    assert blind_stack("redis", "up").status == 0
    before = view.container()
    with blind_stack.client() as client:
        client.set("kept", "1")
    image = {"REDIS_COMMANDER_IMAGE": "redis:7.2-alpine"}

    done = blind_stack(
        "redis", *command, env={"XDG_STATE_HOME": str(blind_spot), **PASSWORD, **image}
    )

    assert done.status == 1
    assert "does not see" in done.err
    assert view.container().attrs["State"]["StartedAt"] == before.attrs["State"]["StartedAt"]
    assert view.names()["containers"] == [blind_stack.container]
    # Other tests have projects of their own there.
    assert _rendered(blind_spot / "pawsctl" / blind_stack.project) == []
    with blind_stack.client() as client:
        assert client.get("kept") == b"1"


def test_another_file_at_the_same_path_is_not_ours(
    blind_stack: Stack, view: Docker, blind_engine: str, blind_spot: Path
) -> None:
    """A development container's path may also exist on the host."""
    assert blind_stack("redis", "up").status == 0
    with closing(docker.DockerClient(blind_engine)) as client:
        # Only the engine sees what it writes there.
        for folder in sorted(_planned(blind_stack, blind_spot)):
            client.containers.run(
                "redis:7.2-alpine",
                entrypoint="sh",
                command=[
                    "-c",
                    "for f in redis.conf redis_password; do echo other >/there/$f; done",
                ],
                volumes=[f"{folder}:/there"],
                remove=True,
            )

    done = blind_stack(
        "redis", "reset", "--yes", env={"XDG_STATE_HOME": str(blind_spot), **PASSWORD}
    )

    assert done.status == 1
    assert "another file" in done.err
    assert view.names()["containers"] == [blind_stack.container]


def _planned(stack: Stack, state: Path) -> list[str]:
    """Create the rendered files of these settings in advance."""
    environment = {**stack.environment, "XDG_STATE_HOME": str(state), **PASSWORD}
    wanted = load_settings.load(environ=environment, directory=stack.folder).stack()
    directory = state / "pawsctl" / stack.project
    directory.mkdir(parents=True, mode=0o700)
    return [str(mounted_files.rendered(wanted, directory))]


def test_a_failed_up_keeps_the_files_of_what_runs(docker_stack: Stack, silent_image: str) -> None:
    """On any engine: the restored container's files stay, the new ones are deleted."""
    docker_stack("redis", "up", env={"REDIS_PASSWORD": "one"})
    state = docker_stack.folder / "state"
    before = _rendered(state)

    done = docker_stack(
        "redis", "up", "--timeout", "1", env={"REDIS_PASSWORD": "two", "REDIS_IMAGE": silent_image}
    )

    assert done.status == 8
    assert _rendered(state) == before
    assert docker_stack("redis", "up", env={"REDIS_PASSWORD": "one"}).status == 0


@pytest.mark.parametrize("engine", ["docker", "auto"])
def test_no_engine_leaves_no_password(bare_stack: Stack, engine: str) -> None:
    """Files rendered before the engine was contacted are deleted, also by the embedded engine."""
    nowhere = {"PAWSCTL_ENGINE": engine, "DOCKER_HOST": "unix:///nonexistent/docker.sock"}
    with socket.create_server(("127.0.0.1", bare_stack.port)):
        done = bare_stack("redis", "up", env={**nowhere, **PASSWORD})

    assert done.status == (6 if engine == "docker" else 7)
    assert _rendered(bare_stack.folder / "state") == []


@pytest.mark.parametrize("command", [("up",), ("down",), ("reset", "--yes")])
def test_what_a_killed_one_made_to_look_is_removed(
    docker_stack: Stack, engine_view: Docker, command: tuple[str, ...]
) -> None:
    """The next command removes the killed check's container and its unnamed volume."""
    docker_stack("redis", "up")
    name = f"{docker_stack.container}_probe"
    labels = {PROJECT_LABEL: docker_stack.project, "com.docker.compose.oneoff": "True"}
    left = engine_view.api.containers.create(REDIS.image, ["true"], name=name, labels=labels)
    (volume,) = (each["Name"] for each in left.attrs["Mounts"])

    done = docker_stack("redis", *command)

    assert done.status == 0, done.err
    assert name not in engine_view.names()["containers"]
    with pytest.raises(NotFound):
        engine_view.api.volumes.get(volume)
