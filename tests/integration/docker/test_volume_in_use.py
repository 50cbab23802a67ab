"""A volume that another container mounts can't be deleted, and nobody is told that it was."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import docker
import pytest
from docker.errors import NotFound
from docker.models.containers import Container

from pawsctl.errors import ExitStatus
from tests.bent_engine import Refusal, bent_engine
from tests.stack_fixtures import NOTHING, Docker, Stack
from tests.standins.images import REDIS


@pytest.fixture
def guest(docker_stack: Stack, docker_engine: docker.DockerClient) -> Iterator[Container]:
    """A container of somebody else that mounts the volume of a Redis that holds a key."""
    docker_stack("redis", "up")
    with docker_stack.client() as client:
        client.set("kept", "1")
    made = docker_engine.containers.create(
        REDIS.image,
        name=f"{docker_stack.project}-guest",
        volumes={f"{docker_stack.project}_redis-data": {"bind": "/there", "mode": "ro"}},
    )
    yield made
    with suppress(NotFound):
        made.remove(force=True)


def test_no_second_server_is_started_on_a_volume(
    docker_stack: Stack, docker_engine: docker.DockerClient, engine_view: Docker
) -> None:
    """Each would append to the other's file. Somebody has started one to look into the data."""
    docker_stack("redis", "up")
    docker_stack("redis", "down")
    (volume,) = engine_view.names()["volumes"]
    other = docker_engine.containers.run(
        REDIS.image,
        ["redis-server", "--appendonly", "yes"],
        name=f"{docker_stack.project}-other",
        volumes={volume: {"bind": "/data"}},
        detach=True,
    )
    try:
        up, status = docker_stack("redis", "up", "--json"), docker_stack("redis", "status")

        assert up.status == ExitStatus.CONFLICT, up.err
        assert f"The container {other.name} runs a Redis" in up.error["message"]
        assert up.error["message"] in status.text
        assert engine_view.names()["containers"] == []
        _, command, _ = up.error["hint"].split("'")
        assert command == f"docker stop {other.name}"
        other.stop()
        assert docker_stack("redis", "up").status == ExitStatus.OK
    finally:
        other.remove(force=True)


@pytest.mark.parametrize("command", [("reset",), ("down", "--volumes")])
def test_it_is_refused_before_anything_changes(
    docker_stack: Stack, engine_view: Docker, guest: Container, command: tuple[str, ...]
) -> None:
    """The volume and the other container are named; Redis runs on."""
    before = engine_view.container().id

    refused = docker_stack("redis", *command, "--yes")

    assert refused.status == ExitStatus.CONFLICT
    assert f"The volume {docker_stack.project}_redis-data can't be deleted" in refused.err
    assert f"the container {guest.name} uses it" in refused.err
    assert engine_view.container().id == before
    with docker_stack.client() as client:
        assert client.get("kept") == b"1"

    guest.remove(force=True)
    done = docker_stack("redis", *command, "--yes")

    assert done.status == ExitStatus.OK, done.err
    if command == ("reset",):
        with docker_stack.client() as client:
            assert client.dbsize() == 0
    else:
        assert engine_view.names() == NOTHING


@pytest.mark.parametrize("command", [("reset",), ("down", "--volumes")])
def test_a_use_that_begins_later_is_no_success(
    docker_stack: Stack, tmp_path: Path, command: tuple[str, ...]
) -> None:
    """The engine refuses only when the volume is deleted; `up` goes on with its data."""
    docker_stack("redis", "up")
    with docker_stack.client() as client:
        client.set("kept", "1")
    refusal = Refusal("DELETE .*/volumes/", 409, "volume is in use")
    with bent_engine(tmp_path, refusal) as engine:
        done = docker_stack("redis", *command, "--yes", env={"DOCKER_HOST": engine.address})

    assert done.status == ExitStatus.CONFLICT
    assert f"The volume {docker_stack.project}_redis-data can't be deleted" in done.err
    assert "'pawsctl redis up' goes on with its data" in done.err
    assert docker_stack("redis", "up").status == ExitStatus.OK
    with docker_stack.client() as client:
        assert client.get("kept") == b"1"
