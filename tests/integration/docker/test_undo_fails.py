"""A rollback that fails in its turn: the first cause and the resulting state are reported."""

import signal
import time

import pytest

from tests.bent_engine import Refusal, bent_engine
from tests.stack_fixtures import Docker, Stack

BUSY = "container 0123: driver failed to remove root filesystem: device or resource busy"
REMOVAL = Refusal(r"DELETE \S+/containers/", 500, BUSY)
RENAMING_BACK = Refusal(r"POST \S+/rename\?name=[^_]+ ", 500, "rename: read-only file system")


def _up(stack: Stack) -> None:
    assert stack("redis", "up").status == 0
    with stack.client() as client:
        client.set("kept", "1")


@pytest.mark.slow(15)
def test_the_first_cause_and_its_log_are_told(
    docker_stack: Stack, engine_view: Docker, silent_image: str
) -> None:
    """The new container can't be removed: it is renamed, and the old one runs again."""
    _up(docker_stack)
    before = engine_view.container().id
    with bent_engine(docker_stack.folder, REMOVAL) as engine:
        done = docker_stack(
            "redis",
            "up",
            "--timeout",
            "1",
            env={"REDIS_IMAGE": silent_image, "DOCKER_HOST": engine.address},
        )

    assert done.status == 8
    assert "redis did not answer within 1 s" in done.err
    assert "warming up" in done.err
    assert f"can't be removed: {BUSY}" in done.err
    assert "docker rm --force" not in done.err.split("→")[0]
    assert f"{docker_stack.container} is running" in done.err
    assert engine_view.container().id == before
    with docker_stack.client() as client:
        assert client.get("kept") == b"1"
    aside = next(each for each in engine_view.names()["containers"] if "_" in each)
    assert f"{aside} is exited" in done.err


@pytest.mark.slow(15)
def test_a_redis_that_stays_under_another_name_is_told(
    docker_stack: Stack, engine_view: Docker, silent_image: str
) -> None:
    """The error says that it is stopped, and its name; the next `up` repairs everything."""
    _up(docker_stack)
    before = engine_view.container()
    with bent_engine(docker_stack.folder, REMOVAL, RENAMING_BACK) as engine:
        done = docker_stack(
            "redis",
            "up",
            "--timeout",
            "1",
            "--json",
            env={"REDIS_IMAGE": silent_image, "DOCKER_HOST": engine.address},
        )

    before.reload()
    assert done.status == 8
    assert done.error["code"] == "timeout"
    assert done.error["message"].startswith("redis did not answer within 1 s")
    assert "read-only file system" in done.error["message"]
    assert f"{before.name} is exited" in done.error["message"]
    assert "pawsctl redis up" in done.error["hint"]
    assert docker_stack("redis", "up").status == 0
    assert engine_view.names()["containers"] == [docker_stack.container]
    with docker_stack.client() as client:
        assert client.get("kept") == b"1"


@pytest.mark.slow(15)
def test_an_interrupt_tells_it_too(
    docker_stack: Stack, engine_view: Docker, silent_image: str
) -> None:
    """After Ctrl-C, the message says what could not be undone."""
    with bent_engine(docker_stack.folder, REMOVAL) as engine:
        up = docker_stack.start(
            "redis", "up", env={"REDIS_IMAGE": silent_image, "DOCKER_HOST": engine.address}
        )
        while not any("/start " in each for each in engine.requests):
            time.sleep(0.02)
        time.sleep(0.5)
        up.send_signal(signal.SIGINT)
        _, err = up.communicate(timeout=20)

    assert up.returncode == 130
    assert "Interrupted." in err.decode()
    assert BUSY in err.decode()
    assert "is exited" in err.decode()


def test_an_engine_that_removes_nothing_does_not_hide_the_cause(
    docker_stack: Stack, engine_view: Docker, crashing_image: str
) -> None:
    """A container can be neither started nor removed."""
    everything = Refusal(r"DELETE ", 500, "no")
    ended = Refusal(r"POST \S+/start ", 500, "OCI runtime create failed: no space left on device")
    with bent_engine(docker_stack.folder, ended, everything) as engine:
        done = docker_stack(
            "redis", "up", env={"REDIS_IMAGE": crashing_image, "DOCKER_HOST": engine.address}
        )

    assert done.status == 1
    assert "no space left on device" in done.err
    assert "Undoing it failed too" in done.err
    aside = next(each for each in engine_view.names()["containers"])
    assert f"{aside} is created" in done.err
