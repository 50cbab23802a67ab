"""A failed change of Redis's version never hides data that a newer server has opened."""

import socket

import pytest

from tests.bent_engine import Refusal, bent_engine
from tests.stack_fixtures import NOTHING, Docker, Stack

SESSION = "wh:session:15551230000"


def _write(stack: Stack, key: str) -> None:
    with stack.client() as client:
        client.set(key, "1", ex=3600)


def _keys(stack: Stack) -> set[bytes]:
    with stack.client() as client:
        return {bytes(key) for key in client.scan_iter()}


def _version(stack: Stack) -> str:
    with stack.client() as client:
        return str(client.info("server")["redis_version"])


def test_dev_touches_nothing_if_any_of_its_ports_is_taken(
    docker_stack: Stack, engine_view: Docker, older_image: str
) -> None:
    """All services are checked before the first is replaced."""
    docker_stack("redis", "up", env={"REDIS_IMAGE": older_image})
    before = engine_view.container().id
    _write(docker_stack, SESSION)
    with socket.create_server(("127.0.0.1", docker_stack.commander_port)):
        done = docker_stack("redis", "dev")

    assert done.status == 7
    assert "REDIS_COMMANDER_PORT" in done.err
    assert engine_view.container().id == before
    assert _version(docker_stack).startswith("6.2")
    assert _keys(docker_stack) == {SESSION.encode()}


def test_dev_touches_nothing_if_commanders_name_is_taken(
    docker_stack: Stack, engine_view: Docker, older_image: str
) -> None:
    """This is for a container that belongs to somebody else."""
    docker_stack("redis", "up", env={"REDIS_IMAGE": older_image})
    before = engine_view.container().id
    name = f"{docker_stack.project}-redis-commander"
    foreign = engine_view.api.containers.create("redis:7.2-alpine", name=name)
    try:
        done = docker_stack("redis", "dev")
    finally:
        foreign.remove(v=True)

    assert done.status == 7
    assert engine_view.container().id == before


def test_a_redis_that_wants_commanders_port_is_refused_before_it_is_touched(
    docker_stack: Stack, engine_view: Docker
) -> None:
    """Two services can't swap ports one after the other."""
    docker_stack("redis", "dev")
    before = engine_view.container().id
    swapped = {
        "REDIS_PORT": str(docker_stack.commander_port),
        "REDIS_COMMANDER_PORT": str(docker_stack.port),
    }

    done = docker_stack("redis", "up", env=swapped)

    assert done.status == 7
    assert f"the container {docker_stack.project}-redis-commander" in done.err
    assert engine_view.container().id == before
    assert engine_view.container().status == "running"


@pytest.mark.slow(15)
def test_a_newer_redis_that_has_opened_the_data_stays(
    docker_stack: Stack, engine_view: Docker, older_image: str, crashing_image: str
) -> None:
    """Redis Commander fails after Redis was upgraded: the older Redis would start empty."""
    docker_stack("redis", "up", env={"REDIS_IMAGE": older_image})
    _write(docker_stack, SESSION)

    done = docker_stack("redis", "dev", env={"REDIS_COMMANDER_IMAGE": crashing_image})

    assert done.status == 1
    assert "redis-commander did not start" in done.err
    assert r"no \x1b[31mdisk" in done.err
    assert "stays at Redis 7" in done.err
    assert "Redis 6.2" in done.err
    assert "was not put back" in done.err
    assert f"{docker_stack.container} is running" in done.err
    assert "redis:7.2-alpine" in done.err
    assert _version(docker_stack).startswith("7.")
    _write(docker_stack, "wh:session:15551230001")
    again = docker_stack("redis", "up")
    assert again.status == 0
    assert "already running" in again.text
    assert len(_keys(docker_stack)) == 2
    assert engine_view.names()["containers"] == [docker_stack.container]


def test_a_newer_redis_that_never_opened_the_data_gives_way(
    docker_stack: Stack, engine_view: Docker, older_image: str, silent_image: str
) -> None:
    """Its program did not start: the older one is restored, and finds all data."""
    docker_stack("redis", "up", env={"REDIS_IMAGE": older_image})
    before = engine_view.container().id
    _write(docker_stack, SESSION)

    done = docker_stack("redis", "up", "--timeout", "1", env={"REDIS_IMAGE": silent_image})

    assert done.status == 8
    assert engine_view.container().id == before
    assert _keys(docker_stack) == {SESSION.encode()}


def test_the_same_version_is_put_back(
    docker_stack: Stack, engine_view: Docker, crashing_image: str
) -> None:
    """Only a setting of Redis changed: the old container runs again."""
    docker_stack("redis", "up")
    before = engine_view.container().id
    _write(docker_stack, SESSION)

    done = docker_stack(
        "redis",
        "dev",
        env={"REDIS_COMMANDER_IMAGE": crashing_image, "REDIS_MAXMEMORY": "128mb"},
    )

    assert done.status == 1
    assert "put back" not in done.err
    assert engine_view.container().id == before
    assert _keys(docker_stack) == {SESSION.encode()}


@pytest.mark.parametrize("remains", [True, False], ids=["container", "volume-alone"])
def test_an_older_redis_is_not_started_on_newer_data(
    docker_stack: Stack, engine_view: Docker, older_image: str, *, remains: bool
) -> None:
    """It would start empty, though `up` would say that the data is kept."""
    docker_stack("redis", "up")
    _write(docker_stack, SESSION)
    if not remains:
        docker_stack("redis", "down")

    done = docker_stack("redis", "up", env={"REDIS_IMAGE": older_image})

    assert done.status == 7
    assert "Redis 6.2" in done.err
    assert "would start empty" in done.err
    assert "REDIS_IMAGE" in done.err
    assert engine_view.names()["containers"] == ([docker_stack.container] if remains else [])
    assert docker_stack("redis", "up").status == 0
    assert _keys(docker_stack) == {SESSION.encode()}


def test_an_older_redis_starts_on_no_data(
    docker_stack: Stack, engine_view: Docker, older_image: str
) -> None:
    """There is nothing to hide."""
    done = docker_stack("redis", "up", env={"REDIS_IMAGE": older_image})

    assert done.status == 0
    assert docker_stack("redis", "down", "--volumes", "--yes").status == 0
    assert engine_view.names() == NOTHING


def test_an_engine_that_does_not_tell_what_the_data_is_starts_nothing_on_it(
    docker_stack: Stack, older_image: str
) -> None:
    """A failed check does not mean that there is no newer data."""
    assert docker_stack("redis", "up").status == 0
    _write(docker_stack, SESSION)
    refusal = Refusal(r"GET \S+/archive\?path=\S+appendonlydir", 500, "out of order")
    with bent_engine(docker_stack.folder, refusal) as engine:
        done = docker_stack(
            "redis", "up", env={"REDIS_IMAGE": older_image, "DOCKER_HOST": engine.address}
        )

    assert done.status == 1
    assert "out of order" in done.err
    assert _version(docker_stack).startswith("7.")
    assert _keys(docker_stack) == {SESSION.encode()}
