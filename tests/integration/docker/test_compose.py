"""The real `docker compose` and pawsctl on the same containers, in both directions."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pawsctl.stack.project.mounted_files import compose_file
from tests.stack_fixtures import NOTHING, Docker, Stack

Compose = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def docker_compose(compose: Path, docker_stack: Stack) -> Compose:
    """Run docker compose on the unchanged compose file, in the environment of `docker_stack`."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [compose, "-f", compose_file(), *arguments],
            env=docker_stack.environment,
            capture_output=True,
            text=True,
            check=True,
        )

    return run


def test_compose_reads_the_dotenv_file_that_is_named(compose: Path, tmp_path: Path) -> None:
    """One in the working directory it reads only then, and of that the password is not used."""
    (tmp_path / ".env").write_text("PAWSCTL_PROJECT=named\nREDIS_PASSWORD=let-me-in\n")

    def run(*options: str) -> str:
        return subprocess.run(
            [str(compose), *options, "-f", str(compose_file()), "config"],
            cwd=tmp_path,
            env={},
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    named = run("--env-file", ".env")
    assert "name: named\n" in named
    assert "let-me-in" not in named
    assert "name: paws-wpp\n" in run()


def test_pawsctl_takes_what_compose_started_as_its_own(
    docker_stack: Stack, docker_compose: Compose, engine_view: Docker
) -> None:
    """status shows it, `up` leaves it as it is, and `down` removes it."""
    docker_compose("up", "-d")
    before = engine_view.container().id

    status = docker_stack("redis", "status", "--json")
    up = docker_stack("redis", "up", "--json")
    logs = docker_stack("redis", "logs", "redis")

    assert [each["service"] for each in status.json["services"]] == ["redis", "redis-commander"]
    assert [each["action"] for each in up.json["services"]] == ["running", "running"]
    assert engine_view.container().id == before
    assert "Ready to accept connections" in logs.text
    assert docker_stack("redis", "down", "--volumes", "--yes").status == 0
    assert engine_view.names() == NOTHING


def test_compose_takes_what_pawsctl_started_as_its_own(
    docker_stack: Stack, docker_compose: Compose, engine_view: Docker
) -> None:
    """It lists and removes the containers without a warning."""
    docker_stack("redis", "dev")

    listed = docker_compose("ps", "--format", "json")
    names = [json.loads(line)["Name"] for line in listed.stdout.splitlines()]
    down = docker_compose("down", "--volumes")

    assert sorted(names) == [docker_stack.container, f"{docker_stack.container}-commander"]
    assert "warn" not in (listed.stderr + down.stderr).lower()
    assert engine_view.names() == NOTHING


def test_compose_up_after_pawsctl_keeps_the_data(
    docker_stack: Stack, docker_compose: Compose
) -> None:
    """It may replace the container, but uses the same volume."""
    docker_stack("redis", "up")
    with docker_stack.client() as client:
        client.set("kept", "1")

    up = docker_compose("up", "-d", "redis")

    assert "warn" not in up.stderr.lower()
    # Redis may still load its data; pawsctl waits for that.
    assert docker_stack("redis", "up").status == 0
    with docker_stack.client() as client:
        assert client.get("kept") == b"1"


def test_pawsctl_up_after_compose_with_other_settings_keeps_the_data(
    docker_stack: Stack, docker_compose: Compose
) -> None:
    """Changed fields are detected in a container that compose created."""
    docker_compose("up", "-d", "redis")
    assert docker_stack("redis", "up").status == 0
    with docker_stack.client() as client:
        client.set("kept", "1")

    done = docker_stack("redis", "up", "--json", env={"REDIS_MAXMEMORY": "64mb"})

    assert done.json["services"][0]["changed"] == ["maxmemory"]
    with docker_stack.client() as client:
        assert client.get("kept") == b"1"


def test_the_container_is_what_compose_would_have_made(
    docker_stack: Stack, docker_compose: Compose, engine_view: Docker
) -> None:
    """All fields that can differ are equal, whoever created it."""
    docker_compose("up", "-d", "redis")
    theirs = engine_view.container().attrs
    docker_compose("down")
    docker_stack("redis", "up")
    ours = engine_view.container().attrs

    for section, fields in {
        "Config": ["Cmd", "Image", "Healthcheck", "ExposedPorts", "Env", "Entrypoint"],
        "HostConfig": ["Memory", "PortBindings", "RestartPolicy", "NetworkMode", "Binds"],
    }.items():
        for field in fields:
            assert ours[section][field] == theirs[section][field], field

    def mounts(container: dict[str, Any]) -> list[dict[str, Any]]:
        return sorted(container["Mounts"], key=lambda each: str(each["Destination"]))

    assert mounts(ours) == mounts(theirs)
