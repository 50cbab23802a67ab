"""A dead container: Docker could not remove it completely, and it can't be started."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from docker.errors import APIError

from tests.needs import skip_or_fail
from tests.stack_fixtures import NOTHING, Docker, Stack


@contextmanager
def _dead(view: Docker) -> Iterator[None]:
    """Make the Redis container dead; at the end, let it be removed again."""
    if sys.platform != "linux" or os.geteuid() != 0 or not shutil.which("chattr"):
        skip_or_fail("only root on Linux can have a file that Docker can't remove")
    container = view.container()
    layer = container.attrs["GraphDriver"]["Data"].get("UpperDir")
    if not layer:
        skip_or_fail("Docker keeps the files of its containers in another way than overlay2")
    stuck = Path(layer) / "stuck"
    stuck.touch()
    subprocess.run(["chattr", "+i", stuck], check=True)
    try:
        try:
            container.remove(force=True)
        except APIError as error:
            assert "stuck" in str(error)
        container.reload()
        assert container.attrs["State"]["Dead"]
        yield
    finally:
        subprocess.run(["chattr", "-i", stuck], check=True)


def test_up_does_without_it(docker_stack: Stack, engine_view: Docker) -> None:
    """It is renamed and the data kept; the next `down` that can removes it."""
    docker_stack("redis", "up")
    with docker_stack.client() as client:
        client.set("kept", "1")
    with _dead(engine_view):
        status = docker_stack("redis", "status")
        up = docker_stack("redis", "up")
        again = docker_stack("redis", "up")
        with docker_stack.client() as client:
            kept = client.get("kept")
        beside = {
            "status": docker_stack("redis", "status"),
            "logs": docker_stack("redis", "logs"),
            "cli": docker_stack("redis", "cli", "PING"),
            "doctor": docker_stack("doctor"),
            "restart": docker_stack("redis", "restart"),
            "reset": docker_stack("redis", "reset", "--yes"),
        }
        with docker_stack.client() as client:
            keys = client.dbsize()
        down = docker_stack("redis", "down")
        left = engine_view.names()["containers"]
    docker_stack("redis", "up")
    removed = docker_stack("redis", "down", "--volumes", "--yes")

    assert "dead" in status.text
    assert up.status == 0, up.err
    assert "it is dead, and " in up.err
    assert "stuck" in up.err
    assert again.status == 0
    assert "dead" not in again.err
    assert kept == b"1"
    assert {name: each.status for name, each in beside.items()} == dict.fromkeys(beside, 0), beside
    assert keys == 0
    assert down.status == 0
    assert "can't be removed" in down.err
    assert len(left) == 1
    assert removed.status == 0
    assert engine_view.names() == NOTHING
