"""Images: pulled with progress, not pulled, or not available."""

import hashlib
import io
import json
import secrets
import tarfile
import time
from pathlib import Path

import docker
import pytest

from tests.ports import free_port
from tests.stack_fixtures import NOTHING, Docker, Stack


def test_a_missing_image_is_pulled_with_one_line(unpulled_image: str, docker_stack: Stack) -> None:
    """If stderr is no terminal, progress is one line per image."""
    done = docker_stack("redis", "up", env={"REDIS_IMAGE": unpulled_image})

    assert done.status == 0, done.err
    assert f"Pulling {unpulled_image}" in done.err.splitlines()
    assert done.err.count("Pull") == 1


def test_pull_never_does_not_pull(
    unpulled_image: str, docker_stack: Stack, engine_view: Docker
) -> None:
    """The error names the image, and how to get it."""
    done = docker_stack("redis", "up", "--pull", "never", env={"REDIS_IMAGE": unpulled_image})

    assert done.status == 1
    assert f"docker pull {unpulled_image}" in done.err
    assert engine_view.names() == NOTHING


def test_pull_always_asks_the_registry_again(unpulled_image: str, docker_stack: Stack) -> None:
    """The registry is asked though the image is here."""
    environment = {"REDIS_IMAGE": unpulled_image}
    docker_stack("redis", "up", env=environment)

    again = docker_stack("redis", "up", env=environment)
    always = docker_stack("redis", "up", "--pull", "always", env=environment)

    assert "Pulling" not in again.err
    assert f"Pulling {unpulled_image}" in always.err.splitlines()
    assert "already running" in always.text


def test_a_tag_that_does_not_exist_tells_the_registrys_words(
    docker_stack: Stack, engine_view: Docker, registry: str
) -> None:
    """The error names the image and has the registry's own message."""
    image = f"{registry}/redis:no-such-tag"

    done = docker_stack("redis", "up", env={"REDIS_IMAGE": image})

    assert done.status == 1
    assert f"The image {image} could not be pulled: " in done.err
    assert "manifest unknown" in done.err or "not found" in done.err
    assert engine_view.names() == NOTHING


def test_a_registry_that_refuses_is_told(docker_stack: Stack) -> None:
    """Nothing listens at its address."""
    image = f"127.0.0.1:{free_port()}/redis:7.2-alpine"

    done = docker_stack("redis", "up", env={"REDIS_IMAGE": image})

    assert done.status == 1
    assert image in done.err
    assert "connection refused" in done.err


@pytest.mark.parametrize(
    "name",
    [
        *("Not An Image", "Redis:7.2", "redis:7.2:alpine", "redis@sha256:12", "https://redis"),
        *("redis/", "redis:", ":7.2", "redis:7.2 ", "redis:-x", "UPPER/redis", "b" * 64),
    ],
)
def test_a_name_that_is_no_image_is_wrong_usage(docker_stack: Stack, name: str) -> None:
    """No registry is asked, and the error names the settings for images."""
    done = docker_stack("redis", "up", env={"REDIS_IMAGE": name})

    assert done.status == 2
    assert f"'{name}' should be the name of an image" in done.err
    assert "REDIS_IMAGE" in done.err


@pytest.mark.parametrize("command", [["dev"], ["restart"], ["reset", "--yes"]])
def test_a_malformed_name_is_found_before_anything_is_done(
    docker_stack: Stack, unpulled_image: str, command: list[str]
) -> None:
    """Nothing is pulled, stopped or deleted; the second image's name is checked, too."""
    docker_stack("redis", "up")
    with docker_stack.client() as client:
        client.set("kept", "1")
    names = {"REDIS_IMAGE": unpulled_image, "REDIS_COMMANDER_IMAGE": "Bad:Name"}
    if command != ["dev"]:
        names = {"REDIS_IMAGE": "redis:"}

    done = docker_stack("redis", *command, env=names)

    assert done.status == 2, done.err
    assert "should be the name of an image" in done.err
    assert "Pulling" not in done.err
    with docker_stack.client() as client:
        assert client.get("kept") == b"1"


def test_an_image_without_a_configuration(
    docker_stack: Stack, docker_engine: docker.DockerClient, tmp_path: Path
) -> None:
    """It has nothing to run, and the error says so."""
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w"):
        pass
    digest = hashlib.sha256(layer.getvalue()).hexdigest()
    description = {
        "architecture": "amd64",
        "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
    }
    name = f"pawsctl-test-bare:{secrets.token_hex(4)}"
    manifest = [{"Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"]}]
    with tarfile.open(tmp_path / "image.tar", mode="w") as archive:
        for path, content in {
            "layer.tar": layer.getvalue(),
            "config.json": json.dumps(description).encode(),
            "manifest.json": json.dumps(manifest).encode(),
        }.items():
            member = tarfile.TarInfo(path)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    docker_engine.images.load((tmp_path / "image.tar").read_bytes())
    assert docker_engine.api.inspect_image(name).get("Config") is None
    try:
        docker_stack("redis", "up")
        done = docker_stack("redis", "up", env={"REDIS_IMAGE": name})
        again = docker_stack("redis", "up")
    finally:
        docker_engine.images.remove(name, force=True)

    assert done.status == 1
    assert "Traceback" not in done.err
    assert "REDIS_IMAGE" in done.err
    assert "already running" in again.text


def test_a_server_in_protected_mode_is_told_at_once(
    docker_stack: Stack, engine_view: Docker, protected_image: str
) -> None:
    """Its answer would not change if `up` waited."""
    began = time.monotonic()

    done = docker_stack("redis", "up", env={"REDIS_IMAGE": protected_image}, timeout=59)

    assert done.status == 1
    assert time.monotonic() - began < 40
    assert "protected mode" in done.err
    assert "protected-mode no" in done.err
    assert engine_view.names() == NOTHING


def test_protected_mode_that_was_turned_on_since(docker_stack: Stack) -> None:
    """The hint fixes it; Redis's own long advice is not shown."""
    docker_stack("redis", "up")
    with docker_stack.client() as client:
        client.set("kept", "1")
    docker_stack("redis", "cli", "CONFIG", "SET", "protected-mode", "yes")

    status = docker_stack("redis", "status", "--json")
    up = docker_stack("redis", "up")
    reset = docker_stack("redis", "reset", "--yes")
    restarted = docker_stack("redis", "restart")

    assert "DENIED" in status.json["problem"]
    assert up.status == 1
    assert "'pawsctl redis restart'" in up.err
    assert reset.status == 5
    assert "solutions" not in status.text + up.err + reset.err
    assert restarted.status == 0, restarted.err
    with docker_stack.client() as client:
        assert client.get("kept") == b"1"


def test_an_image_that_was_renewed_replaces_the_container(
    docker_stack: Stack, docker_engine: docker.DockerClient, silent_image: str
) -> None:
    """The name is the same, but the container runs the old image."""
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
