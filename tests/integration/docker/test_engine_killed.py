"""A dockerd that is killed while it starts or stops a container loses sight of what runs in it."""

from __future__ import annotations

import re
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import NamedTuple

import docker
import psutil
import pytest

from tests.cli_runner import Result
from tests.docker_fixtures import remove_project
from tests.killable_engine import Daemon
from tests.processes import wait_until
from tests.second_engine import second_engine
from tests.stack_fixtures import Stack
from tests.standins.images import REDIS

# It waits before or after one of runc's commands as long as there is a file of that name.
_RUNTIME = """#!/bin/sh
pause() {{
    [ -e {folder}/$1 ] || return 0
    touch {folder}/reached
    while [ -e {folder}/$1 ]; do sleep 0.02; done
}}
for word in "$@"; do case $word in create|start|delete) what=$word; break;; esac; done
pause before-$what
{runc} "$@"
status=$?
pause after-$what
exit $status
"""
_MOST_HINTS = 3
# At the other one it depends on what the engine had written down.
_ALWAYS = ("after-create", "after-start")
_HINT = re.compile(r"'sudo (kill -KILL \d+)'")
_IN_SIGHT, _NOT_STARTED = "does not run, but its process", "can't be started"


class _Engine(NamedTuple):
    """An engine whose runtime stops at a moment that a test names, for killing dockerd there."""

    daemon: Daemon
    moments: Path
    api: docker.DockerClient

    @contextmanager
    def stack(self, folder: Path) -> Iterator[Stack]:
        """Yield a project whose Redis runs and holds a key; remove it at the end."""
        stack = Stack(folder, f"pawsctl-test-{secrets.token_hex(4)}", "docker")
        stack.environment["DOCKER_HOST"] = self.daemon.address
        try:
            assert stack("redis", "up").status == 0
            with stack.client() as client:
                client.set("kept", "1")
            yield stack
        finally:
            self.api.close()
            remove_project(self.api, stack.project)

    def killed(self, stack: Stack, moment: str) -> str:
        """Kill the engine at this moment of a restart, start it again; return the container's id.

        Its proxies live on and hold the port; they are killed, too.
        """
        (self.moments / "reached").unlink(missing_ok=True)
        found = str(self.api.containers.get(stack.container).id)
        (self.moments / moment).touch()
        restart = stack.start("redis", "restart")
        wait_until((self.moments / "reached").exists, f"runc is at {moment}")
        self.daemon.kill()
        (self.moments / moment).unlink()
        restart.communicate(timeout=60)
        self.daemon.heal()
        self.api.close()
        for each in psutil.process_iter(["cmdline"]):
            words = each.info["cmdline"] or ()
            if "/usr/sbin/docker-proxy" in words and str(stack.port) in words:
                each.kill()
        return found


@pytest.fixture(scope="module", params=["own containerd", "containerd is a service"])
def engine(
    request: pytest.FixtureRequest,
    docker_engine: docker.DockerClient,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[_Engine]:
    """The engine, with both kinds of containerd."""
    with ExitStack() as stack:
        folder = tmp_path_factory.mktemp("runtime")
        runtime = folder / "runtime"
        runtime.write_text(_RUNTIME.format(folder=folder, runc=shutil.which("runc")))
        runtime.chmod(0o755)
        address = stack.enter_context(
            second_engine(
                *("--add-runtime", f"paused={runtime}", "--default-runtime", "paused"),
                # Else a dockerd that is started again deletes the other engine's bridge.
                "--live-restore",
                images=(REDIS.image,),
                has_own_containerd=request.param == "own containerd",
            )
        )
        daemon = Daemon(address)
        stack.callback(daemon.end)
        stack.callback(daemon.heal)
        yield _Engine(daemon, folder, stack.enter_context(closing(docker.DockerClient(address))))


def _shims(container: str) -> list[int]:
    return [
        each.pid
        for each in psutil.process_iter(["cmdline"])
        if container in (words := each.info["cmdline"] or [""]) and "-shim" in words[0]
    ]


def _follow(told: Result, daemon: Daemon) -> None:
    """Do what the hint says."""
    if "Restart Docker" in told.err:
        # dockerd 20.10 never frees the ports of what it restored.
        daemon.restart()
        return
    found = _HINT.search(told.err)
    assert found, told.err
    subprocess.run(found[1].split(), check=True)


@pytest.mark.slow(60)
@pytest.mark.parametrize("moment", ["after-create", "after-start", "before-delete"])
def test_the_hint_helps(engine: _Engine, moment: str, tmp_path: Path) -> None:
    """`up` says what to end where Docker can't start the container, and works after that."""
    with engine.stack(tmp_path) as stack:
        container = engine.killed(stack, moment)
        said: list[str] = []
        while (up := stack("redis", "up")).status and len(said) < _MOST_HINTS:
            said.append(up.err)
            _follow(up, engine.daemon)

        assert up.status == 0, said
        assert moment not in _ALWAYS or _NOT_STARTED in "".join(said)
        with stack.client() as client:
            assert client.get("kept") == b"1"
        assert len(_shims(container)) == 1


@pytest.mark.slow(30)
def test_a_server_out_of_sight_is_left_alone(engine: _Engine, tmp_path: Path) -> None:
    """Nothing removes or replaces a container whose Redis runs on, and may write its data."""
    with engine.stack(tmp_path) as stack:
        container = engine.killed(stack, "after-start")
        status = stack("redis", "status", "--json")
        changed = stack("redis", "up", env={"REDIS_MAXMEMORY": "128mb"})
        down = stack("redis", "down")
        deleted = stack("redis", "down", "--volumes", "--yes")
        shims = _shims(container)
        _follow(deleted, engine.daemon)
        after = stack("redis", "up", env={"REDIS_MAXMEMORY": "128mb"})

        assert status.json["services"][0]["state"] == "exited"
        for refused in (changed, down, deleted):
            assert refused.status == 7
            assert _IN_SIGHT in refused.err
        assert len(shims) == 1
        assert after.status == 0, after.err
        with stack.client() as client:
            assert client.get("kept") == b"1"
        assert not _shims(container)
