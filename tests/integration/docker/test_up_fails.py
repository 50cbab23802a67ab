"""An `up` that fails or is interrupted: exit status, message, and nothing left behind."""

import os
import signal
import socket
import time
from contextlib import suppress

import docker
import pytest
import redis
from docker.errors import NotFound

from pawsctl.config import load_settings
from pawsctl.errors import TimedOut
from pawsctl.stack import lifecycle
from tests.bent_engine import Refusal, bent_engine
from tests.docker_fixtures import PROJECT_LABEL
from tests.stack_fixtures import NOTHING, Docker, Stack

DEADLINE_SECONDS = 20.0


def test_a_port_in_use_names_the_process(docker_stack: Stack, engine_view: Docker) -> None:
    """The process is this test's own, which holds the port."""
    with socket.create_server(("127.0.0.1", docker_stack.port)):
        done = docker_stack("redis", "up")

    assert done.status == 7
    assert f"Port {docker_stack.port} on 127.0.0.1 is in use by " in done.err
    assert "(process " in done.err
    assert "REDIS_PORT" in done.err
    assert engine_view.names() == NOTHING


def test_a_port_of_another_container_names_that_container(
    docker_stack: Stack, docker_engine: docker.DockerClient, project: str
) -> None:
    """The process is docker-proxy, whose name would help nobody."""
    docker_stack("redis", "up")
    other = {"PAWSCTL_PROJECT": f"{project}-two"}

    done = docker_stack("redis", "up", env=other)

    assert done.status == 7
    assert f"the container {docker_stack.container}" in done.err
    assert Docker(docker_engine, f"{project}-two").names() == NOTHING


def test_a_port_that_docker_has_not_freed_is_told(docker_stack: Stack, engine_view: Docker) -> None:
    """As after a restart of Docker with live-restore: there is no process to stop."""
    reason = f"Bind for 127.0.0.1:{docker_stack.port} failed: port is already allocated"
    with bent_engine(docker_stack.folder, Refusal(r"POST \S+/start", 500, reason)) as engine:
        done = docker_stack("redis", "up", env={"DOCKER_HOST": engine.address})

    assert done.status == 7
    assert f"Docker says that port {docker_stack.port} on 127.0.0.1 is in use" in done.err
    assert "Restart Docker" in done.err
    assert engine_view.names() == NOTHING


def test_commanders_port_in_use_leaves_the_redis_that_ran(
    docker_stack: Stack, engine_view: Docker
) -> None:
    """`dev` removes only what it created itself."""
    docker_stack("redis", "up")
    with socket.create_server(("127.0.0.1", docker_stack.commander_port)):
        done = docker_stack("redis", "dev")

    assert done.status == 7
    assert "REDIS_COMMANDER_PORT" in done.err
    assert engine_view.names()["containers"] == [docker_stack.container]


def test_a_redis_that_crashes_shows_its_log(
    docker_stack: Stack, engine_view: Docker, crashing_image: str
) -> None:
    """The log has the reason; its colours are shown as text."""
    done = docker_stack("redis", "up", env={"REDIS_IMAGE": crashing_image})

    assert done.status == 1
    assert "exited with status 3" in done.err
    assert r"no \x1b[31mdisk" in done.err
    assert engine_view.names() == NOTHING


def test_a_redis_that_never_answers_times_out_with_its_log(
    docker_stack: Stack, engine_view: Docker, silent_image: str
) -> None:
    """The deadline, the last state, the log's tail and the next step."""
    done = docker_stack("redis", "up", "--timeout", "5", env={"REDIS_IMAGE": silent_image})

    assert done.status == 8
    assert "within 5 s" in done.err
    assert "the last state was" in done.err
    assert "warming up" in done.err
    assert "--timeout" in done.err
    assert engine_view.names() == NOTHING


def test_a_service_whose_turn_never_came_is_named(
    docker_stack: Stack, engine_view: Docker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There was no time left to create it; no other container has its name."""
    monkeypatch.setenv("XDG_STATE_HOME", docker_stack.environment["XDG_STATE_HOME"])
    wanted = load_settings.load(environ=docker_stack.environment, directory=docker_stack.folder)

    with pytest.raises(TimedOut, match="redis could not be brought up within 0 s") as caught:
        lifecycle.up(wanted.stack(), timeout=0, pull="missing", emit=lambda _event: None)

    assert "--timeout" in caught.value.hint
    assert engine_view.names() == NOTHING


def test_an_interrupted_up_removes_what_it_created(
    docker_stack: Stack, engine_view: Docker, silent_image: str
) -> None:
    """Ctrl-C comes while it waits for Redis."""
    up = docker_stack.start("redis", "up", env={"REDIS_IMAGE": silent_image})
    _wait_for_container(engine_view)

    up.send_signal(signal.SIGINT)
    up.communicate(timeout=DEADLINE_SECONDS)

    assert up.returncode == 130
    assert engine_view.names() == NOTHING


@pytest.mark.parametrize("delay", [0.15, 0.2, 0.25, 0.3, 0.35, 0.4])
def test_up_interrupted_anywhere_leaves_all_or_nothing(
    docker_stack: Stack, engine_view: Docker, delay: float
) -> None:
    """Also between any two steps: either it was done, or it is undone."""
    up = docker_stack.start("redis", "up")
    time.sleep(delay)
    up.send_signal(signal.SIGINT)
    out, err = up.communicate(timeout=DEADLINE_SECONDS)

    left = engine_view.names()

    if b"Redis answers" in out or b"the services are up" in err:
        assert left["containers"] == [docker_stack.container]
    else:
        assert left == NOTHING


def test_an_interrupted_up_keeps_what_was_there(
    docker_stack: Stack, engine_view: Docker, silent_image: str
) -> None:
    """The container that was to be replaced runs again, with its data."""
    docker_stack("redis", "up")
    before = engine_view.container().id
    with docker_stack.client() as client:
        client.set("kept", "1")

    up = docker_stack.start("redis", "up", env={"REDIS_IMAGE": silent_image})
    _wait_for_container(engine_view, other_than=before)
    up.send_signal(signal.SIGINT)
    up.communicate(timeout=DEADLINE_SECONDS)

    assert engine_view.container().id == before
    assert docker_stack("redis", "up").status == 0
    with docker_stack.client() as client:
        assert client.get("kept") == b"1"


def test_a_container_of_that_name_that_is_not_ours_is_left_alone(
    docker_stack: Stack, docker_engine: docker.DockerClient
) -> None:
    """The name alone does not make it ours."""
    foreign = docker_engine.containers.create("redis:7.2-alpine", name=docker_stack.container)
    try:
        up = docker_stack("redis", "up")
        down = docker_stack("redis", "down", "--volumes", "--yes")

        assert up.status == 7
        assert "was not made by this project" in up.err
        assert down.status == 0
        foreign.reload()
        assert foreign.status == "created"
    finally:
        foreign.remove(force=True, v=True)


def test_a_volume_of_another_project_is_left_alone(
    docker_stack: Stack, docker_engine: docker.DockerClient, engine_view: Docker
) -> None:
    """Its data belongs to somebody else."""
    name = f"{docker_stack.project}_redis-data"
    volume = docker_engine.volumes.create(
        name, labels={"com.docker.compose.project": "somebody-elses"}
    )
    try:
        up = docker_stack("redis", "up")
        docker_stack("redis", "down", "--volumes", "--yes")

        assert up.status == 7
        assert "belongs to the project 'somebody-elses'" in up.err
        assert engine_view.names() == NOTHING
        docker_engine.volumes.get(name)
    finally:
        volume.remove()


def test_a_network_of_another_project_is_left_alone(
    docker_stack: Stack, docker_engine: docker.DockerClient, engine_view: Docker
) -> None:
    """The services must not share a network with other projects."""
    network = docker_engine.networks.create(f"{docker_stack.project}_default")
    try:
        done = docker_stack("redis", "up")

        assert done.status == 7
        assert engine_view.names() == NOTHING
        network.reload()
    finally:
        network.remove()


def test_a_network_that_others_use_stays(
    docker_stack: Stack, docker_engine: docker.DockerClient, engine_view: Docker, silent_image: str
) -> None:
    """`down` says so, and removes the rest."""
    docker_stack("redis", "up")
    guest = docker_engine.containers.run(
        silent_image, network=f"{docker_stack.project}_default", detach=True
    )
    try:
        done = docker_stack("redis", "down")

        assert done.status == 0
        assert "other containers use it" in done.err
        assert engine_view.names()["containers"] == []
        guest.reload()
        assert guest.status == "running"
    finally:
        guest.remove(force=True, v=True)


def _wait_for_container(view: Docker, *, other_than: str | None = None) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        try:
            container = view.container()
        except NotFound:
            pass
        else:
            if container.status == "running" and container.id != other_than:
                return
        time.sleep(0.02)
    raise AssertionError("no container came up")


def test_a_full_volume_is_told_at_once(
    docker_stack: Stack, docker_engine: docker.DockerClient
) -> None:
    """A Redis that can't write answers PING with that, however long one waits; nothing is lost."""
    _make_volume_in_memory(docker_stack, docker_engine)
    docker_stack("redis", "up")
    with docker_stack.client() as client, suppress(redis.ResponseError):
        client.set("kept", "1")
        for number in range(1_000):
            client.set(f"filling:{number}", os.urandom(20_000))

    done = docker_stack("redis", "up", "--timeout", "600")

    assert done.status == 1
    assert "MISCONF" in done.err
    assert "make room" in done.err
    with docker_stack.client() as client:
        assert client.get("kept") == b"1"


def test_a_volume_in_memory_ends_with_its_server(
    docker_stack: Stack, docker_engine: docker.DockerClient
) -> None:
    """Docker unmounts a tmpfs when nothing runs that mounts it, and all in it is lost."""
    _make_volume_in_memory(docker_stack, docker_engine)
    assert docker_stack("redis", "up").status == 0
    assert docker_stack("redis", "stop").status == 0
    assert docker_stack("redis", "start").status == 0
    with docker_stack.client() as client:
        client.set("kept", "1")

    refused = [docker_stack("redis", each) for each in ("stop", "restart", "down")]
    changed = docker_stack("redis", "up", env={"REDIS_MAXMEMORY": "64mb"})

    for each in (*refused, changed):
        assert each.status == 7, each.text
        assert "its data lies in memory, and ends with it" in each.err
    with docker_stack.client() as client:
        assert client.get("kept") == b"1"


def _make_volume_in_memory(stack: Stack, client: docker.DockerClient) -> None:
    client.volumes.create(
        f"{stack.project}_redis-data",
        driver_opts={"type": "tmpfs", "device": "tmpfs", "o": "size=4m"},
        labels={PROJECT_LABEL: stack.project, "com.docker.compose.volume": "redis-data"},
    )
