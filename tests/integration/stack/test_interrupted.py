"""Ctrl-C while Redis is being stopped or started."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.embedded_servers import servers_below
from tests.processes import wait_until
from tests.running_command import Running
from tests.stack_fixtures import Stack

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it looks into /proc")


def _server(stack: Stack) -> psutil.Process:
    """Return the process of Redis."""
    if stack.engine == "embedded":
        (found,) = servers_below(stack.folder / "state")
        return found
    inspect = ["docker", "inspect", "--format", "{{.State.Pid}}", stack.container]
    return psutil.Process(int(subprocess.check_output(inspect)))


def _has_pending_sigterm(process: psutil.Process) -> bool:
    """Return whether a SIGTERM waits until a suspended process goes on."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    pending = int(status.partition("ShdPnd:")[2].split()[0], 16)
    return bool(pending >> (signal.SIGTERM - 1) & 1)


def _interrupt(process: Running) -> str:
    """Press Ctrl-C; return the rest of stderr when the command has ended."""
    process.send_signal(signal.SIGINT)
    return process.communicate(timeout=60)[1].decode()


@pytest.mark.parametrize("command", ["restart", "stop"])
def test_an_interrupted_stop_says_how_it_left_redis(stack: Stack, command: str) -> None:
    """The command in the hint works."""
    stack("redis", "up")
    server = _server(stack)
    server.suspend()
    process = stack.start("redis", command)
    wait_until(lambda: _has_pending_sigterm(server), "a SIGTERM that waits for Redis")

    said = _interrupt(process)
    server.resume()

    assert process.returncode == 130
    assert "Interrupted: what was stopped stays stopped." in said
    assert "'pawsctl redis start'" in said
    assert stack("redis", "start").status == 0
    with stack.client() as client:
        assert client.ping()


@pytest.mark.parametrize(
    ("words", "done"),
    [
        (["stop"], "stopped"),
        (["restart"], "stopped"),
        (["down"], "removed"),
        (["reset", "--yes"], "deleted"),
    ],
)
def test_an_interruption_before_anything_ended_says_that(
    stack: Stack, words: list[str], done: str
) -> None:
    """It comes when the command notes down what it is about to do. Redis goes on."""
    assert stack("redis", "up").status == 0
    with stack.client() as client:
        client.set("kept", "1")
    moment = f"{stack.project}/ending"

    command = stack.signalled(signal.SIGINT, moment, "redis", *words)
    _, said = command.communicate(timeout=60)

    assert command.returncode == 130
    assert f"Interrupted before anything was {done}." in said.decode()
    with stack.client() as client:
        assert client.get("kept") == b"1"


def test_an_interruption_that_comes_too_late_says_that_all_was_done(embedded_stack: Stack) -> None:
    """The servers run; silence would mean that all was undone."""
    up = embedded_stack.signalled(signal.SIGINT, "All services answer", "redis", "up", "-v")
    _, said = up.communicate(timeout=60)

    assert up.returncode == 130
    assert b"Interrupted when all was done: the services are up." in said
    assert embedded_stack("redis", "status", "--json").json["services"][0]["state"] == "running"


def test_an_interrupted_down_says_that_nothing_comes_back(docker_stack: Stack) -> None:
    """The container that it had removed is gone, and the data is there."""
    assert docker_stack("redis", "up").status == 0
    with docker_stack.client() as client:
        client.set("kept", "1")

    down = docker_stack.signalled(signal.SIGINT, "Removed container", "redis", "down", "-v")
    _, said = down.communicate(timeout=60)

    assert down.returncode == 130
    assert b"Interrupted: what was removed stays removed. The data is kept." in said
    assert docker_stack("redis", "up").status == 0
    with docker_stack.client() as client:
        assert client.get("kept") == b"1"


@pytest.mark.slow(15)
def test_an_interrupted_change_leaves_the_old_container_running(docker_stack: Stack) -> None:
    """Ctrl-C comes while it is being shut down, still under its name."""
    stack = docker_stack
    stack("redis", "up")
    server = _server(stack)
    # Docker kills it in the end.
    server.suspend()
    up = stack.start("redis", "up", env={"REDIS_PASSWORD": "new"})
    wait_until(lambda: _has_pending_sigterm(server), "a SIGTERM that waits for Redis")

    _interrupt(up)

    assert up.returncode == 130
    assert stack("redis", "up", "--json").json["services"][0]["action"] == "running"


def test_an_interrupted_start_says_that_it_undid_it(docker_stack: Stack, silent_image: str) -> None:
    """No container that does not answer is left."""
    docker_stack("redis", "up")
    docker_stack("redis", "stop")
    docker_stack.environment["REDIS_IMAGE"] = silent_image

    process = docker_stack.start("redis", "start", "-v")
    assert process.stderr
    assert any(b"Engine" in line for line in process.stderr)
    time.sleep(0.3)
    said = _interrupt(process)

    assert process.returncode == 130
    assert "Interrupted: what was begun is undone." in said
    found = docker_stack("redis", "status", "--json").json["services"][0]
    assert found["state"] == "exited"
