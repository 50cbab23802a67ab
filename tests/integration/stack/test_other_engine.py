"""Data held by the other engine is reported, never hidden by an empty Redis."""

import pytest

from pawsctl.errors import ExitStatus
from tests.ports import free_port
from tests.stack_fixtures import Stack


@pytest.fixture
def moving(docker_stack: Stack) -> Stack:
    """A stack with data on Docker."""
    assert docker_stack("redis", "up").status == ExitStatus.OK
    with docker_stack.client() as client:
        client.set("kept", "1")
    return docker_stack


def test_data_on_docker_is_told_of_where_docker_is_gone(moving: Stack) -> None:
    """Every command that falls back warns, until the data is deleted."""
    volume = f"{moving.project}_redis-data"
    gone = {"PAWSCTL_ENGINE": "auto", "DOCKER_HOST": f"tcp://127.0.0.1:{free_port()}"}
    gone["REDIS_PORT"] = str(free_port())
    try:
        for command in (("status",), ("up",), ("down", "--dry-run"), ("reset", "-y"), ("down",)):
            done = moving("redis", *command, env=gone)
            assert f"Docker holds data of this project, too (the volume {volume})" in done.err
        moving("redis", "down", "--volumes", "--yes")
        assert "holds data" not in moving("redis", "status", env=gone).err
    finally:
        moving("redis", "down", "--volumes", "--yes", env={**gone, "PAWSCTL_ENGINE": "embedded"})


def test_data_of_the_embedded_server_is_told_of_on_docker(docker_stack: Stack) -> None:
    """The data is reported though its server is down."""
    embedded = {"PAWSCTL_ENGINE": "embedded"}
    try:
        assert docker_stack("redis", "up", env=embedded).status == ExitStatus.OK
        docker_stack("redis", "down", env=embedded)
        for command in ("status", "up", "down"):
            done = docker_stack("redis", command)
            assert "the embedded server holds data of this project, too" in done.err
    finally:
        docker_stack("redis", "down", "--volumes", "--yes", env=embedded)
    assert "holds data" not in docker_stack("redis", "status").err
