"""A `redis reset` that was killed midway, and the next one, which continues it."""

import signal
import sys
import time
from pathlib import Path

import pytest

from pawsctl.errors import ExitStatus
from pawsctl.stack.unfinished import reset_note
from tests.integration.stack.test_reset_writers import exported, held
from tests.stack_fixtures import Stack
from tests.topology_fixtures import Topology

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")

SESSIONS = {"wh:session:+1", "wh:session:+2"}
AGAIN = "Going on with a reset that was interrupted"


def _store(stack: Stack, *keys: str) -> None:
    with stack.client() as client:
        for key in keys:
            client.set(key, f"value of {key}", ex=3_600)


def _ended(stack: Stack, number: int, step: str, *more: str) -> None:
    """Run a reset, and end it by a signal as soon as it has printed a given step."""
    reset = stack.signalled(number, step, "redis", "reset", "--yes", "-v", *more)
    reset.communicate(timeout=60)
    assert reset.returncode in (-number, 128 + number)


@pytest.mark.parametrize(
    ("number", "step"),
    [(signal.SIGKILL, "Exported"), (signal.SIGKILL, "Removed"), (signal.SIGTERM, "Created")],
)
def test_it_goes_on_wherever_it_was(stack: Stack, number: int, step: str) -> None:
    """Nothing is lost, the old data is deleted, and the sessions' export is named."""
    stack("redis", "up")
    _store(stack, *SESSIONS, "another:key")
    _ended(stack, number, step)

    done = stack("redis", "reset", "--yes", "--json")

    assert done.status == ExitStatus.OK, done.err
    assert exported(stack) == SESSIONS
    assert Path(done.json["backup"]).exists()
    assert held(stack) == set()
    assert not list((stack.folder / "state").rglob(".unfinished*"))
    assert not list((stack.folder / "state").rglob("deleted"))


def test_what_was_written_since_is_exported_too(embedded_stack: Stack) -> None:
    """A killed reset's pause runs out, and `up` restarts what it stopped."""
    stack = embedded_stack
    stack("redis", "up")
    _store(stack, *SESSIONS)
    _ended(stack, signal.SIGKILL, "Exported")
    assert stack("redis", "up").status == ExitStatus.OK
    _store(stack, "wh:session:+3")

    done = stack("redis", "reset", "--yes", "--json")

    assert done.status == ExitStatus.OK, done.err
    assert AGAIN not in done.err
    assert exported(stack) == {*SESSIONS, "wh:session:+3"}
    assert held(stack) == set()


def test_once_in_use_again_it_is_not_gone_on_with(embedded_stack: Stack) -> None:
    """After a later stop, the data is not taken for what was exported before."""
    stack = embedded_stack
    stack("redis", "up")
    _store(stack, *SESSIONS)
    _ended(stack, signal.SIGKILL, "Exported")
    stack("redis", "up")
    _store(stack, "wh:session:+3")
    stack("redis", "stop")

    refused = stack("redis", "reset", "--yes")

    assert refused.status == ExitStatus.FAILED
    assert "--no-backup" in refused.err
    assert stack("redis", "start").status == ExitStatus.OK
    assert held(stack) == {*SESSIONS, "wh:session:+3"}


def test_a_topology_goes_on_too(topology: Topology) -> None:
    """Some of its servers may still run beside stopped ones."""
    topology.up()
    topology.write("wh:session:+1", "kept")
    _ended(topology, signal.SIGKILL, "Exported", "--topology", topology.topology)

    done = topology.run("reset", "--yes", "--json")

    assert done.status == ExitStatus.OK, done.err
    assert exported(topology) == {"wh:session:+1"}
    assert Path(done.json["backup"]).exists()
    assert topology.copies("wh:session:+1") == []


@pytest.mark.slow(20)
def test_a_topology_that_was_never_whole_is_put_in_order_by_up(topology: Topology) -> None:
    """`up` is killed when all nodes answer and none knows the others; the error says what helps."""
    last = {"sentinel": "sentinel-3 answers", "cluster": "node-6 answers"}[topology.topology]
    up = ("redis", "up", "--topology", topology.topology)
    topology.signalled(signal.SIGKILL, last, *up, "-v").communicate(timeout=60)

    refused = topology.run("reset", "--yes", "--json")

    assert refused.status in (ExitStatus.UNREACHABLE, ExitStatus.PARTIAL)
    assert f"'pawsctl {' '.join(up)}' puts its nodes in order." in refused.error["hint"]
    assert "--no-backup" in refused.error["hint"]
    assert "URL" not in refused.error["hint"]
    assert topology.run("up").status == ExitStatus.OK
    assert topology.run("reset", "--yes").status == ExitStatus.OK


def test_what_was_told_to_end_is_not_taken_for_running(stack: Stack) -> None:
    """`stop` is killed while it waits for the end; the next `up` ensures that Redis runs."""
    stack("redis", "up")
    _store(stack, *SESSIONS)
    process = stack.start("redis", "stop")
    note = stack.folder / "state" / "pawsctl" / stack.project / "ending"
    while not note.exists() and process.poll() is None:
        time.sleep(0.001)
    process.kill()
    process.communicate(timeout=60)

    up = stack("redis", "up")

    assert up.status == ExitStatus.OK, up.err
    assert held(stack) == SESSIONS
    assert not note.exists()


def test_what_a_reset_had_end_is_ended_once(embedded_stack: Stack) -> None:
    """The export fails after that; a later `up` does not restart the server that runs."""
    stack = embedded_stack
    stack("redis", "up")
    _store(stack, *SESSIONS)
    directory = stack.folder / "state" / "pawsctl" / stack.project
    reset_note.note(directory, None, ())
    (directory / "ending").touch()
    (directory / "backups").write_text("in the way")

    failed = stack("redis", "reset", "--yes")

    assert failed.status == ExitStatus.FAILED
    assert AGAIN in failed.err
    assert not (directory / "ending").exists()
    assert held(stack) == SESSIONS
