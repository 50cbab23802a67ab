"""A state directory in which the user may not read or write something."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.needs import skip_or_fail
from tests.stack_fixtures import Stack

# conftest.py keeps this from being collected there.
assert sys.platform != "win32"

NOTHING, READ_ONLY = 0o000, 0o555


@pytest.fixture
def unprivileged() -> list[str]:
    """Return the command prefix that makes file permissions apply to root as well."""
    if os.geteuid() != 0:
        return []
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        skip_or_fail("root needs setpriv to be held to permissions")
    return [setpriv, "--bounding-set=-dac_override,-dac_read_search"]


@pytest.fixture
def stopped(embedded_stack: Stack) -> Iterator[Stack]:
    """A stack with a password, started and stopped; at the end all is writable again."""
    embedded_stack.environment["REDIS_PASSWORD"] = "secret"
    embedded_stack("redis", "up")
    embedded_stack("redis", "stop")
    yield embedded_stack
    for folder, _, names in os.walk(embedded_stack.folder / "state"):
        for path in (Path(folder), *(Path(folder, name) for name in names)):
            path.chmod(0o700)


@pytest.mark.parametrize(
    ("name", "mode", "commands"),
    [
        (".", NOTHING, ["up", "status", "stop", "start", "down", "logs", "reset"]),
        (".", READ_ONLY, ["up", "start", "reset"]),
        ("lock", NOTHING, ["up", "stop", "down", "reset"]),
        ("lock", READ_ONLY, ["up", "stop", "down", "reset"]),
        ("files", NOTHING, ["up", "down", "reset"]),
        ("files", READ_ONLY, ["up", "down"]),
        ("embedded", NOTHING, ["up", "status", "stop", "start", "down", "logs", "reset"]),
        ("embedded", READ_ONLY, ["up", "start", "down"]),
        ("embedded/server.json", NOTHING, ["up", "status", "stop", "down"]),
        ("embedded/server.log", NOTHING, ["up", "logs"]),
        ("embedded/data", NOTHING, ["up"]),
        ("embedded/data", READ_ONLY, ["down"]),
    ],
)
def test_what_is_not_ours_is_named(
    stopped: Stack, unprivileged: list[str], name: str, mode: int, commands: list[str]
) -> None:
    """Every command gives an error message."""
    home = stopped.folder / "state" / "pawsctl" / stopped.project
    (home / name).resolve().chmod(mode)
    more = {"down": ["--volumes", "--yes"], "reset": ["--yes", "--no-backup"]}
    environment = stopped.environment | {"REDIS_PASSWORD": "another"}

    for command in commands:
        words = [sys.executable, "-m", "pawsctl", "redis", command, *more.get(command, [])]
        done = subprocess.run(
            [*unprivileged, *words],
            env=environment,
            cwd=stopped.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Traceback" not in done.stderr, (command, done.stderr)
        assert done.returncode == 1, (command, done)
        assert str(home) in done.stderr, (command, done.stderr)
