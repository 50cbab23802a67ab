"""The data stays in the project's volume, whatever the image and the container."""

from __future__ import annotations

from collections.abc import Iterator
from secrets import token_hex

import pytest

from pawsctl.errors import ExitStatus
from tests.stack_fixtures import Docker, Stack
from tests.standins import engine
from tests.standins.images import REDIS


@pytest.fixture(scope="module")
def image_elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An image of Redis whose working directory is /, like those of redis-stack."""
    context = tmp_path_factory.mktemp("elsewhere")
    name = f"pawsctl-test-elsewhere:{token_hex(4)}"
    (context / "Dockerfile").write_text(f"FROM {REDIS.image}\nWORKDIR /\n")
    engine.build(name, context, {})
    yield name
    engine.remove_image(name)


def test_an_image_that_works_elsewhere_keeps_its_data_in_the_volume(
    docker_stack: Stack, engine_view: Docker, image_elsewhere: str
) -> None:
    """The data survives a recreation, and `down` and `up`."""
    docker_stack.environment["REDIS_IMAGE"] = image_elsewhere
    assert docker_stack("redis", "up").status == ExitStatus.OK
    with docker_stack.client() as client:
        client.set("kept", "1")

    assert docker_stack("redis", "up", env={"REDIS_MAXMEMORY": "64mb"}).status == ExitStatus.OK
    with docker_stack.client() as client:
        assert client.get("kept") == b"1"
    assert docker_stack("redis", "down").status == ExitStatus.OK
    assert docker_stack("redis", "up").status == ExitStatus.OK

    with docker_stack.client() as client:
        assert client.get("kept") == b"1"
        assert client.config_get("dir")["dir"] == "/data"
