"""`pawsctl doctor` on Docker: the engine, its containers, and what keeps them from running."""

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from pawsctl.errors import ExitStatus
from tests import strangers
from tests.cli_runner import Result
from tests.docker_fixtures import PROJECT_LABEL
from tests.needs import skip_or_fail
from tests.processes import wait_until
from tests.stack_fixtures import Docker, Stack
from tests.standins.images import REDIS


def named(result: Result, name: str) -> dict[str, str]:
    """Return the one finding of that name."""
    (found,) = [each for each in result.json["findings"] if each["name"] == name]
    return dict(found)


def failures(result: Result) -> list[str]:
    """Return the names of the failed findings."""
    return [each["name"] for each in result.json["findings"] if each["state"] == "failed"]


def test_the_engine_and_what_runs_on_it_are_told(docker_stack: Stack, engine_view: Docker) -> None:
    """Its endpoint and version, its disk, and the service; nothing is changed."""
    assert docker_stack("redis", "up").status == ExitStatus.OK
    before = engine_view.container().attrs
    result = docker_stack("doctor", "--json")
    assert failures(result) == []
    version = engine_view.api.version()["Version"]
    assert f"Docker {version} answers at " in named(result, "docker")["detail"]
    assert (
        ".sock" in named(result, "docker")["detail"] or "tcp:" in named(result, "docker")["detail"]
    )
    assert named(result, "stack")["state"] == "ok"
    assert "drift" not in [each["name"] for each in result.json["findings"]]
    after = engine_view.container().attrs
    assert (after["Id"], after["State"]) == (before["Id"], before["State"])


def test_drift_is_named_and_not_carried_out(docker_stack: Stack, engine_view: Docker) -> None:
    """Every field that `up` would change, including a password not yet written to a file."""
    docker_stack("redis", "up")
    before = engine_view.container().id
    for name, value, what in (
        ("REDIS_MAXMEMORY", "99mb", "maxmemory"),
        ("REDIS_PASSWORD", "x", "password"),
        ("REDIS_IMAGE", "pawsctl-test-none:1", "image"),
    ):
        result = docker_stack("doctor", "--json", env={name: value})
        assert what in named(result, "drift")["detail"], name
        assert named(result, "drift")["state"] == "warning"
    assert engine_view.container().id == before
    # A container that was started with a password, and still has it.
    docker_stack("redis", "up", env={"REDIS_PASSWORD": "x"})
    result = docker_stack("doctor", "--json", env={"REDIS_PASSWORD": "x"})
    assert "drift" not in [each["name"] for each in result.json["findings"]]


def test_a_restart_loop_shows_the_end_of_its_log(
    docker_stack: Stack, engine_view: Docker, crashing_image: str
) -> None:
    """It names the container, its exit status and the reason; colours are escaped."""
    docker_stack("redis", "up")
    old = engine_view.container()
    labels = old.labels
    old.remove(force=True)
    engine_view.api.containers.run(
        crashing_image,
        name=docker_stack.container,
        labels=labels,
        detach=True,
        restart_policy={"Name": "always"},
    )
    wait_until(lambda: engine_view.container().attrs["RestartCount"] > 0, "it was started again")
    result = docker_stack("doctor", "--json")
    assert failures(result) == ["container"]
    detail = named(result, "container")["detail"]
    # Between two restarts Docker reports it as running.
    assert "restarts again and again" in detail or "was started again" in detail
    assert "disk" in detail
    assert "redis logs" in named(result, "container")["hint"]
    text = docker_stack("doctor").text
    assert "  | no \\x1b[31mdisk" in text


def test_one_that_was_killed_or_paused_is_told(docker_stack: Stack, engine_view: Docker) -> None:
    """The hint is the command that makes it run again."""
    docker_stack("redis", "up")
    engine_view.container().pause()
    try:
        paused = docker_stack("doctor", "--json", "--timeout", "0.5")
    finally:
        engine_view.container().unpause()
    assert "docker unpause" in named(paused, "container")["hint"]
    assert "this project's own" in named(paused, "port")["detail"]
    assert paused.status == ExitStatus.FAILED
    engine_view.container().kill()
    killed = docker_stack("doctor", "--json")
    assert failures(killed) == ["container"]
    assert "exit status 137" in named(killed, "container")["detail"]


def test_data_elsewhere_is_told(docker_stack: Stack, engine_view: Docker) -> None:
    """The warning comes before a command that would hide the data."""
    docker_stack("redis", "up")
    old = engine_view.container()
    labels = old.labels
    old.remove(force=True)
    engine_view.api.containers.run(
        REDIS.image,
        ["redis-server", "--appendonly", "yes"],
        name=docker_stack.container,
        labels=labels,
        detach=True,
        ports={"6379/tcp": ("127.0.0.1", docker_stack.port)},
    )
    wait_until(lambda: _set(docker_stack), "it answers")
    result = docker_stack("doctor", "--json")
    assert named(result, "data place")["state"] == "warning"
    assert "redis up" in named(result, "data place")["hint"]


def _set(stack: Stack) -> bool:
    with stack.client() as client:
        return bool(client.set("a", "b"))


@pytest.mark.parametrize("label", ["", "another-project"])
def test_the_container_that_holds_the_port_is_named(
    docker_stack: Stack, engine_view: Docker, label: str
) -> None:
    """Its project is named too, whichever it is; on both engines."""
    holder = engine_view.api.containers.run(
        REDIS.image,
        name=f"{docker_stack.project}-holder",
        labels={PROJECT_LABEL: label} if label else {},
        detach=True,
        ports={"6379/tcp": ("127.0.0.1", docker_stack.port)},
    )
    try:
        for engine in ("docker", "embedded"):
            result = docker_stack("doctor", "--json", env={"PAWSCTL_ENGINE": engine})
            found = named(result, "port")
            assert f"the container {docker_stack.project}-holder" in found["detail"]
            assert (f"of the project '{label}'" in found["detail"]) is bool(label)
            assert found["state"] == "warning"
            assert f"'docker stop {docker_stack.project}-holder'" in found["hint"]
    finally:
        holder.remove(force=True, v=True)


def test_a_container_of_the_project_that_is_not_its_redis_is_named(
    docker_stack: Stack, engine_view: Docker
) -> None:
    """As if the bot's own compose file calls its Redis otherwise: `up` finds the port taken."""
    holder = engine_view.api.containers.run(
        REDIS.image,
        name=f"{docker_stack.project}-cache-1",
        labels={PROJECT_LABEL: docker_stack.project, "com.docker.compose.service": "cache"},
        detach=True,
        ports={"6379/tcp": ("127.0.0.1", docker_stack.port)},
    )
    found = named(docker_stack("doctor", "--json"), "port")
    assert (found["state"], "this project's own" in found["detail"]) == ("warning", False)
    assert f"'docker stop {holder.name}'" in found["hint"]


def test_a_user_without_permission_is_told_so(asking: Stack) -> None:
    """Root runs here without the right to bypass permissions; the hint is the group."""
    setpriv = shutil.which("setpriv")
    if os.geteuid() != 0 or setpriv is None:
        skip_or_fail("only root can give a socket away")
    with TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as engine:
        path = Path(folder) / "docker.sock"
        engine.bind(str(path))
        engine.listen()
        os.chown(path, strangers.UID, strangers.UID)
        path.chmod(0o660)
        done = subprocess.run(
            [
                *(setpriv, "--bounding-set=-dac_override,-dac_read_search"),
                *(sys.executable, "-m", "pawsctl", "doctor"),
            ],
            env=asking.environment | {"DOCKER_HOST": f"unix://{path}"},
            cwd=asking.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert done.returncode == ExitStatus.FAILED, done.stderr
    assert "✗ docker  There is no permission to use Docker's socket" in done.stdout
    assert "group 'docker'" in done.stdout
