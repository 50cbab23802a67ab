"""`redis reset` checks that it can start again before it deletes anything."""

import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from pawsctl.errors import ExitStatus
from tests.ports import free_port
from tests.stack_fixtures import Stack
from tests.topology_fixtures import Topology


@contextmanager
def _taken_port() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield str(listener.getsockname()[1])


def _holds_its_data(stack: Stack) -> bool:
    with stack.client() as client:
        return client.get("kept") == b"1"


@pytest.fixture
def holding(stack: Stack) -> Stack:
    """A stack that is up and has data."""
    stack("redis", "up")
    with stack.client() as client:
        client.set("kept", "1")
    return stack


def test_a_port_that_is_taken_is_found_first(holding: Stack) -> None:
    """The settings have another port than the running Redis."""
    with _taken_port() as port:
        done = holding("redis", "reset", "--yes", env={"REDIS_PORT": port})

    assert done.status == ExitStatus.CONFLICT
    assert f"Port {port} on 127.0.0.1 is in use" in done.err
    assert _holds_its_data(holding)


def test_an_image_that_is_not_to_be_had_is_found_first(docker_stack: Stack) -> None:
    """Nothing listens at its registry's address."""
    docker_stack("redis", "up")
    with docker_stack.client() as client:
        client.set("kept", "1")
    image = f"127.0.0.1:{free_port()}/redis:nosuch"

    done = docker_stack("redis", "reset", "--yes", env={"REDIS_IMAGE": image})

    assert done.status == ExitStatus.FAILED
    assert image in done.err
    assert _holds_its_data(docker_stack)


def test_commanders_port_that_is_taken_is_found_first(docker_stack: Stack) -> None:
    """Redis Commander exists, and would be started again, too."""
    docker_stack("redis", "dev")
    with docker_stack.client() as client:
        client.set("kept", "1")

    with _taken_port() as port:
        done = docker_stack("redis", "reset", "--yes", env={"REDIS_COMMANDER_PORT": port})

    assert done.status == ExitStatus.CONFLICT
    assert "REDIS_COMMANDER_PORT" in done.err
    assert _holds_its_data(docker_stack)


@pytest.mark.skipif(sys.platform == "win32", reason="the embedded server is not for Windows")
def test_ports_of_its_own_are_in_nobodys_way(cluster_of_six: Topology) -> None:
    """Each server moves to a port that another of them gives up."""
    cluster_of_six.up()
    moved = {"REDIS_PORT": str(cluster_of_six.port + 1)}

    done = cluster_of_six.run("reset", "--yes", "--no-backup", "--json", env=moved)

    assert done.status == ExitStatus.OK, done.err
    assert {each["action"] for each in done.json["services"]} == {"created"}
    cluster_of_six.run("down", "--volumes", "--yes", env=moved)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT to send")
def test_ctrl_c_after_the_data_is_deleted_says_so(docker_stack: Stack, silent_image: str) -> None:
    """The hint is how to start a Redis again."""
    docker_stack("redis", "up")
    reset = docker_stack.start(
        "redis", "reset", "--yes", "-v", "--no-backup", env={"REDIS_IMAGE": silent_image}
    )
    assert reset.stderr
    assert any(b"Created container" in line for line in reset.stderr)

    reset.send_signal(signal.SIGINT)
    _, said = reset.communicate(timeout=60)

    assert reset.returncode == ExitStatus.INTERRUPTED
    assert b"Interrupted: what was deleted stays deleted." in said
    assert b"'pawsctl redis up' starts it." in said
