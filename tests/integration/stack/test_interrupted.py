"""Ctrl-C while Redis is being stopped or started."""

import signal
import sys
import threading
import time
from contextlib import suppress

import pytest
import redis

from tests.stack_fixtures import Stack

# A script of some seconds, during which Redis does not shut down.
BUSY = "for i = 1, 500000000 do end"
# Until it is killed.
BUSY_FOR_EVER = "while true do end"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT to send")


def _keep_busy(stack: Stack, script: str = BUSY) -> None:
    with stack.client() as client, suppress(redis.RedisError):
        client.eval(script, 0)


def _interrupted(stack: Stack, command: str) -> tuple[int, str]:
    """Run a command, press Ctrl-C soon after it has begun its work, and return how it ended."""
    process = stack.start("redis", command, "-v")
    assert process.stderr
    assert any(b"Engine" in line for line in process.stderr)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    _, rest = process.communicate(timeout=60)
    return process.returncode, rest.decode()


@pytest.mark.parametrize("command", ["restart", "stop"])
def test_an_interrupted_stop_says_how_it_left_redis(stack: Stack, command: str) -> None:
    """The command in the hint works."""
    stack("redis", "up")
    busy = threading.Thread(target=_keep_busy, args=[stack])
    busy.start()
    time.sleep(0.2)

    status, said = _interrupted(stack, command)
    busy.join()

    assert status == 130
    assert "Interrupted: what was stopped stays stopped." in said
    assert "'pawsctl redis start'" in said
    assert stack("redis", "start").status == 0
    with stack.client() as client:
        assert client.ping()


def test_an_interrupted_change_leaves_the_old_container_running(docker_stack: Stack) -> None:
    """Ctrl-C comes while it is being shut down, still under its name."""
    stack = docker_stack
    stack("redis", "up")
    busy = threading.Thread(target=_keep_busy, args=[stack, BUSY_FOR_EVER])
    busy.start()
    time.sleep(0.2)
    up = stack.start("redis", "up", env={"REDIS_PASSWORD": "new"})
    assert up.stderr
    assert any(b"Recreating" in line for line in up.stderr)
    time.sleep(0.3)

    up.send_signal(signal.SIGINT)
    up.communicate(timeout=60)
    busy.join()

    assert up.returncode == 130
    assert stack("redis", "up", "--json").json["services"][0]["action"] == "running"


def test_an_interrupted_start_says_that_it_undid_it(docker_stack: Stack, silent_image: str) -> None:
    """No container that does not answer is left."""
    docker_stack("redis", "up")
    docker_stack("redis", "stop")
    docker_stack.environment["REDIS_IMAGE"] = silent_image

    status, said = _interrupted(docker_stack, "start")

    assert status == 130
    assert "Interrupted: what was begun is undone." in said
    found = docker_stack("redis", "status", "--json").json["services"][0]
    assert found["state"] == "exited"
