"""Images: downloaded with progress, not downloaded, or not to be had."""

import docker

from tests.ports import free_port
from tests.stack_fixtures import NOTHING, Docker, Stack


def test_a_missing_image_is_pulled_with_one_line(unpulled_image: str, docker_stack: Stack) -> None:
    """Where stderr is no terminal, progress is a line per image."""
    done = docker_stack("redis", "up", env={"REDIS_IMAGE": unpulled_image})

    assert done.status == 0, done.err
    assert done.err == f"Pulling {unpulled_image}\n"


def test_pull_never_does_not_pull(
    unpulled_image: str, docker_stack: Stack, engine_view: Docker
) -> None:
    """The image is named, and how to get it."""
    done = docker_stack("redis", "up", "--pull", "never", env={"REDIS_IMAGE": unpulled_image})

    assert done.status == 1
    assert f"docker pull {unpulled_image}" in done.err
    assert engine_view.names() == NOTHING


def test_pull_always_asks_the_registry_again(unpulled_image: str, docker_stack: Stack) -> None:
    """The image is here, and is looked for there all the same."""
    environment = {"REDIS_IMAGE": unpulled_image}
    docker_stack("redis", "up", env=environment)

    again = docker_stack("redis", "up", env=environment)
    always = docker_stack("redis", "up", "--pull", "always", env=environment)

    assert "Pulling" not in again.err
    assert always.err == f"Pulling {unpulled_image}\n"
    assert "already running" in always.text


def test_a_tag_that_does_not_exist_tells_the_registrys_words(
    docker_stack: Stack, engine_view: Docker, registry: str
) -> None:
    """The image is named, with the registry's own error."""
    image = f"{registry}/redis:no-such-tag"

    done = docker_stack("redis", "up", env={"REDIS_IMAGE": image})

    assert done.status == 1
    assert f"The image {image} can't be had: " in done.err
    assert "manifest unknown" in done.err or "not found" in done.err
    assert engine_view.names() == NOTHING


def test_a_registry_that_refuses_is_told(docker_stack: Stack) -> None:
    """Nothing listens there."""
    image = f"127.0.0.1:{free_port()}/redis:7.2-alpine"

    done = docker_stack("redis", "up", env={"REDIS_IMAGE": image})

    assert done.status == 1
    assert image in done.err
    assert "connection refused" in done.err


def test_a_name_that_is_no_image_is_told(docker_stack: Stack) -> None:
    """Docker's own sentence about it."""
    done = docker_stack("redis", "up", env={"REDIS_IMAGE": "Not An Image"})

    assert done.status == 1
    assert "Not An Image" in done.err


def test_an_image_that_was_renewed_replaces_the_container(
    docker_stack: Stack, docker_engine: docker.DockerClient, silent_image: str
) -> None:
    """The same name, another image: what runs is the old one."""
    name = f"{silent_image.partition(':')[0]}:moving"
    image = docker_engine.images.get("redis:7.2-alpine")
    image.tag(name)
    try:
        docker_stack("redis", "up", env={"REDIS_IMAGE": name})
        docker_engine.images.get(silent_image).tag(name)

        done = docker_stack("redis", "up", "--timeout", "0.5", env={"REDIS_IMAGE": name})

        assert "changed: image;" in done.err
    finally:
        docker_engine.images.remove(name, force=True)
