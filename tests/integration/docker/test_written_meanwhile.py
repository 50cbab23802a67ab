"""Data that clients write while `up` waits for other services survives a failed `up`."""

import re
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
import redis

from pawsctl.errors import ExitStatus
from tests.docker_fixtures import PROJECT_LABEL
from tests.processes import wait_until
from tests.stack_fixtures import Docker, Stack
from tests.standins.images import REDIS
from tests.topology_fixtures import Topology

DEADLINE_SECONDS = 30.0


def _write_at_once(port: int, key: str) -> None:
    """Write as soon as a primary answers on a port."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    with redis.Redis(port=port, protocol=2) as client:
        while time.monotonic() < deadline:
            with suppress(redis.RedisError):
                client.set(key, "1")
                return
            time.sleep(0.01)
    raise AssertionError(f"nothing took it on port {port}")


@contextmanager
def _dev_without_commander(
    stack: Stack, view: Docker, silent_image: str, once: bytes = b""
) -> Iterator[list[bytes]]:
    """Run `redis dev`, whose Redis Commander never answers; go on once it has said something.

    Redis Commander is killed at the end, and what the command has said by then is in the list.
    """
    dev = stack.start("redis", "dev", env={"REDIS_COMMANDER_IMAGE": silent_image})
    assert dev.stderr
    said: list[bytes] = []
    while once not in b"".join(said):
        line = dev.stderr.readline()
        assert line, said
        said.append(line)
    yield said
    commander = f"{stack.project}-redis-commander"
    wait_until(lambda: commander in view.names()["containers"], "Redis Commander is there")
    wait_until(lambda: view.api.containers.get(commander).status == "running", "it runs")
    view.api.containers.get(commander).kill()
    said.append(dev.communicate(timeout=DEADLINE_SECONDS)[1])
    assert dev.returncode == ExitStatus.FAILED, said


def test_a_volume_that_was_written_to_stays(
    docker_stack: Stack, engine_view: Docker, silent_image: str
) -> None:
    """Redis Commander never answers; the next `up` finds the data written to Redis."""
    with _dev_without_commander(docker_stack, engine_view, silent_image) as said:
        _write_at_once(docker_stack.port, "kept")

    assert f"The volume {docker_stack.project}_redis-data stays".encode() in said[-1]
    assert docker_stack("redis", "up").status == ExitStatus.OK
    with docker_stack.client() as client:
        assert client.get("kept") == b"1"


def test_a_server_that_took_data_over_and_was_written_to_stays(
    docker_stack: Stack, engine_view: Docker, silent_image: str
) -> None:
    """The old one lacks the newer writes; only the next `up` removes it."""
    labels = {PROJECT_LABEL: docker_stack.project, "com.docker.compose.service": "redis"}
    engine_view.api.containers.run(
        REDIS.image,
        ["redis-server", "--appendonly", "no"],
        name=docker_stack.container,
        detach=True,
        labels=labels | {"com.docker.compose.oneoff": "False"},
        ports={"6379/tcp": ("127.0.0.1", docker_stack.port)},
    )
    _write_at_once(docker_stack.port, "before")
    with _dev_without_commander(docker_stack, engine_view, silent_image, b"Recreating") as said:
        _write_at_once(docker_stack.port, "since")

    assert b"runs with the data that it took over, and stays" in said[-1]
    with docker_stack.client() as client:
        assert client.set("and later", "1")
    assert docker_stack("redis", "up").status == ExitStatus.OK
    with docker_stack.client() as client:
        assert set(client.keys()) == {b"before", b"since", b"and later"}
    assert engine_view.names()["containers"] == [docker_stack.container]


@pytest.mark.skipif(sys.platform == "win32", reason="the embedded server is not for Windows")
@pytest.mark.parametrize("topology", ["sentinel"], indirect=True)
def test_a_topology_that_was_written_to_keeps_its_data(topology: Topology) -> None:
    """Ctrl-C comes while its nodes find each other."""
    up = topology.start("redis", "up", "--topology", topology.topology)
    _write_at_once(topology.port + 1, "kept")
    up.send_signal(signal.SIGINT)
    _, said = up.communicate(timeout=DEADLINE_SECONDS)

    kept = re.findall(r"(\S+) stays: it may hold keys", said.decode())
    assert kept
    assert all("-sentinel-redis-" in each for each in kept), kept
    assert b"'pawsctl redis up --topology sentinel' goes on" in said

    topology.up()

    assert topology.copies("kept") == [b"1"] * 3
