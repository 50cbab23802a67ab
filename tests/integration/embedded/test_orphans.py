"""A server whose pawsctl was killed while starting it is recognized by its working directory."""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pawsctl.errors import ExitStatus
from tests.embedded_servers import servers_below
from tests.stack_fixtures import Stack
from tests.topology_fixtures import Topology

# Windows has no valkey-server; conftest.py keeps this from being collected there.
assert sys.platform != "win32"

DEADLINE_SECONDS = 20.0


def _records(stack: Stack) -> list[Path]:
    return list((stack.folder / "state").rglob("server.json"))


def _as_before_it_was_noted(stack: Stack) -> None:
    """Leave the state of a kill between the start of a server and the note of its pid."""
    for file in _records(stack):
        file.write_text(json.dumps(json.loads(file.read_text()) | {"pid": 0}))


def _lost(stack: Stack) -> None:
    """Delete the state files of all servers."""
    for file in _records(stack):
        file.unlink()


def _servers(folder: Path) -> list[int]:
    return [process.pid for process in servers_below(folder)]


WAYS = pytest.mark.parametrize("orphan", [_as_before_it_was_noted, _lost])


@WAYS
def test_up_goes_on_with_it(embedded_stack: Stack, orphan: Callable[[Stack], None]) -> None:
    """It reports no foreign server, loses nothing, and ends with one server."""
    embedded_stack("redis", "up")
    with embedded_stack.client() as client:
        client.set("kept", "1")
    orphan(embedded_stack)

    status = embedded_stack("redis", "status", "--json")
    up = embedded_stack("redis", "up")

    assert status.json["services"][0]["state"] == "running"
    assert up.status == ExitStatus.OK, up.err
    with embedded_stack.client() as client:
        assert client.get("kept") == b"1"
    assert len(_servers(embedded_stack.folder)) == 1


def test_one_that_runs_as_it_should_is_adopted(embedded_stack: Stack) -> None:
    """It is not restarted, and `status` knows its pid from then on."""
    embedded_stack("redis", "up")
    (before,) = _servers(embedded_stack.folder)
    _as_before_it_was_noted(embedded_stack)

    up = embedded_stack("redis", "up", "--json")

    assert up.json["services"][0]["action"] == "running"
    assert _servers(embedded_stack.folder) == [before]
    assert json.loads(_records(embedded_stack)[0].read_text())["pid"] == before


@WAYS
@pytest.mark.parametrize("command", [("stop",), ("down",), ("down", "--volumes", "--yes")])
def test_it_is_ended(
    embedded_stack: Stack, orphan: Callable[[Stack], None], command: tuple[str, ...]
) -> None:
    """Each of these commands ends the server."""
    embedded_stack("redis", "up")
    orphan(embedded_stack)

    done = embedded_stack("redis", *command)

    assert done.status == ExitStatus.OK, done.err
    assert _servers(embedded_stack.folder) == []


@WAYS
def test_a_reset_exports_what_it_holds(
    embedded_stack: Stack, orphan: Callable[[Stack], None]
) -> None:
    """It is treated like any other Redis of this project."""
    embedded_stack("redis", "up")
    with embedded_stack.client() as client:
        client.set("wh:session:+1", "x")
    orphan(embedded_stack)

    done = embedded_stack("redis", "reset", "--yes", "--json")

    assert done.status == ExitStatus.OK, done.err
    assert Path(done.json["backup"]).exists()
    assert len(_servers(embedded_stack.folder)) == 1


@WAYS
def test_members_of_a_topology_are_ended(
    topology: Topology, orphan: Callable[[Stack], None]
) -> None:
    """All six are ended."""
    topology.up()
    orphan(topology)

    done = topology.run("down", "--volumes", "--yes")

    assert done.status == ExitStatus.OK, done.err
    assert _servers(topology.folder) == []


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="it looks into /proc")
def test_whenever_up_is_killed_its_server_is_found(embedded_stack: Stack) -> None:
    """Here it is killed as soon as it has a child process."""
    for _ in range(4):
        up = embedded_stack.start("redis", "up")
        children = Path(f"/proc/{up.pid}/task/{up.pid}/children")
        deadline = time.monotonic() + DEADLINE_SECONDS
        while up.poll() is None and not children.read_text():
            assert time.monotonic() < deadline
        os.kill(up.pid, 9)
        up.communicate(timeout=DEADLINE_SECONDS)

        done = embedded_stack("redis", "down", "--volumes", "--yes")

        assert done.status == ExitStatus.OK, done.err
        assert _servers(embedded_stack.folder) == []
