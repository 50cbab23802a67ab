"""A running server whose files somebody has removed: all is in memory, and it would find nothing.

As by a clean-up of "old" files, or a volume that was emptied to begin anew.
"""

import subprocess
import sys

import pytest

from pawsctl.errors import ExitStatus
from tests.bent_engine import Refusal, bent_engine
from tests.stack_fixtures import Stack
from tests.standins.images import REDIS

KINDS = ["all", "the folder", "the manifest", "the base"]


def _shell(stack: Stack, script: str) -> None:
    """Run a script where the server's files are."""
    if stack.engine == "embedded":
        (folder,) = stack.folder.glob("state/pawsctl/*/embedded/data")
        subprocess.run(["sh", "-c", script], cwd=folder, check=True)
        return
    volume = f"{stack.project}_redis-data:/data"
    in_it = ("docker", "run", "--rm", "-v", volume, "-w", "/data", "--entrypoint", "sh")
    subprocess.run([*in_it, REDIS.image, "-c", script], check=True)


def _remove(stack: Stack, kind: str) -> None:
    names = {
        "all": "./*",
        "the folder": "appendonlydir",
        "the manifest": "appendonlydir/*.manifest",
        "the base": "appendonlydir/*.base.*",
    }
    _shell(stack, f"rm -r {names[kind]}")


def _store(stack: Stack, key: str) -> None:
    with stack.client() as client:
        # No snapshot is written at its end, which would hide the loss.
        client.config_set("save", "")
        client.set(key, "1")


def _keys(stack: Stack) -> set[bytes | str]:
    with stack.client() as client:
        return set(client.keys())


@pytest.mark.skipif(sys.platform == "win32", reason="an open file can't be removed")
@pytest.mark.parametrize("kind", KINDS)
def test_they_are_written_anew_before_it_ends(stack: Stack, kind: str) -> None:
    """Whichever command ends it."""
    assert stack("redis", "up").status == ExitStatus.OK
    changed = {"REDIS_MAXMEMORY": "128mb"}
    endings = [("restart", {}), ("up", changed), ("stop", changed), ("down", changed)]
    stored = set[bytes | str]()
    for number, (command, env) in enumerate(endings):
        _store(stack, f"key {number}")
        stored.add(f"key {number}".encode())
        _remove(stack, kind)

        done = stack("redis", command, env=env)

        assert done.status == ExitStatus.OK, done.err
        if command in ("stop", "down"):
            assert stack("redis", "up", env=env).status == ExitStatus.OK
        assert _keys(stack) == stored, done.err


def test_data_that_is_not_there_is_not_said_to_be_kept(
    docker_stack: Stack,
) -> None:
    """The server does not run any more, and had all that it held in the files."""
    assert docker_stack("redis", "up").status == ExitStatus.OK
    _store(docker_stack, "lost")
    assert docker_stack("redis", "stop").status == ExitStatus.OK
    kept = docker_stack("redis", "up", env={"REDIS_MAXMEMORY": "128mb"})
    assert "changed: maxmemory; its data is kept." in kept.err
    assert docker_stack("redis", "stop").status == ExitStatus.OK
    _remove(docker_stack, "all")

    up = docker_stack("redis", "up")

    assert up.status == ExitStatus.OK, up.err
    assert "changed: maxmemory; what it has on disk is kept." in up.err
    assert _keys(docker_stack) == set()


def test_where_the_engine_shows_no_files_it_is_stopped_with_a_warning(
    docker_stack: Stack,
) -> None:
    """As an engine does whose disk is hurt; the server itself says that all is on disk."""
    assert docker_stack("redis", "up").status == ExitStatus.OK
    _store(docker_stack, "kept")
    refusal = Refusal(r"GET \S+/archive\?", 500, "no archive")
    with bent_engine(docker_stack.folder, refusal) as engine:
        done = docker_stack("redis", "stop", env={"DOCKER_HOST": engine.address})

    assert done.status == ExitStatus.OK, done.err
    assert "does not tell whether all that it holds is on disk (no archive)" in done.err
    assert docker_stack("redis", "start").status == ExitStatus.OK
    assert _keys(docker_stack) == {b"kept"}


def test_one_that_cannot_write_them_is_not_ended(embedded_stack: Stack) -> None:
    """Something else is in the way; what it holds is in memory still. A later `up` lets it run."""
    assert embedded_stack("redis", "up").status == ExitStatus.OK
    _store(embedded_stack, "kept")
    _shell(embedded_stack, "rm -r appendonlydir; touch appendonlydir")

    for command in ("stop", "restart", "down"):
        done = embedded_stack("redis", command)

        assert done.status == ExitStatus.CONFLICT, done.err
        assert "its append-only file does not hold all of it (it was removed, and " in done.err
        assert "It was not stopped." in done.err
        assert embedded_stack("redis", "up").text.startswith("✓ redis already running")
        assert _keys(embedded_stack) == {b"kept"}
    _shell(embedded_stack, "rm appendonlydir")
    assert embedded_stack("redis", "restart").status == ExitStatus.OK
    assert _keys(embedded_stack) == {b"kept"}
