"""`redis reset` with concurrent writers: no acknowledged write is lost."""

import gzip
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from pawsctl.errors import ExitStatus
from tests.stack_fixtures import Stack
from tests.topology_fixtures import Topology

DEADLINE_SECONDS = 30.0


class Writer:
    """Writes one session after the other, and records those that were acknowledged."""

    def __init__(self, stack: Stack, name: str) -> None:
        self.acknowledged: list[str] = []
        self._stack = stack
        self._name = name
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._write)

    def _write(self) -> None:
        for number in range(1_000_000):
            if self._done.is_set():
                return
            key = f"wh:session:+{self._name}{number}"
            try:
                with self._stack.client() as client:
                    client.set(key, "x", ex=3_600)
                    self.acknowledged.append(key)
            except redis.RedisError:
                time.sleep(0.005)

    def until_more(self) -> None:
        """Return when another write has been acknowledged."""
        known, deadline = len(self.acknowledged), time.monotonic() + DEADLINE_SECONDS
        while len(self.acknowledged) <= known:
            assert time.monotonic() < deadline
            time.sleep(0.005)

    def __enter__(self) -> "Writer":
        self._thread.start()
        self.until_more()
        return self

    def __exit__(self, *_error: object) -> None:
        self._done.set()
        self._thread.join()


def exported(stack: Stack) -> set[str]:
    """Return the keys of all sessions in the exports of resets."""
    found = set()
    for file in (stack.folder / "state").rglob("sessions-*.jsonl.gz"):
        lines = gzip.decompress(file.read_bytes()).splitlines()
        found |= {json.loads(line)["key"] for line in lines[1:-1]}
    return found


def held(stack: Stack) -> set[str]:
    """Return the keys that Redis holds."""
    with stack.client() as client:
        return {key.decode() for key in client.scan_iter(count=1_000)}


def is_paused(stack: Stack) -> bool:
    """Return whether Redis has paused clients."""
    with stack.client() as client:
        fields = client.info("clients")
    return bool(fields["paused_reason"] != "none")


def test_what_was_acknowledged_is_in_the_export_or_in_the_new_redis(stack: Stack) -> None:
    """The writer goes on through several resets."""
    stack("redis", "up")
    for number in range(3):
        with Writer(stack, str(number)) as writer:
            done = stack("redis", "reset", "--yes")
            writer.until_more()

        assert done.status == ExitStatus.OK, done.err
        assert set(writer.acknowledged) <= exported(stack) | held(stack)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT to send")
def test_ctrl_c_while_it_exports_lets_writers_go_on(embedded_stack: Stack) -> None:
    """They continue at once, not only when the pause would run out."""
    stack = embedded_stack
    stack("redis", "up")
    assert stack("session", "seed", "20000").status == ExitStatus.OK
    reset = stack.signalled(signal.SIGSTOP, ".part", "redis", "reset", "--yes")
    os.waitid(os.P_PID, reset.pid, os.WSTOPPED | os.WNOWAIT)

    assert is_paused(stack)
    reset.send_signal(signal.SIGINT)
    reset.send_signal(signal.SIGCONT)
    reset.communicate(timeout=DEADLINE_SECONDS)

    assert reset.returncode == ExitStatus.INTERRUPTED
    assert not is_paused(stack)
    assert len(held(stack)) == 20_000


def test_an_export_that_fails_lets_writers_go_on(embedded_stack: Stack) -> None:
    """Here the export may not be written."""
    stack = embedded_stack
    stack("redis", "up")
    with stack.client() as client:
        client.set("wh:session:+1", "x")
    _backups(stack).write_text("in the way")

    done = stack("redis", "reset", "--yes")

    assert done.status == ExitStatus.FAILED
    assert not is_paused(stack)
    assert held(stack) == {"wh:session:+1"}


@contextmanager
def _no_pause(stack: Stack) -> Iterator[None]:
    with stack.client() as client:
        client.execute_command("ACL", "SETUSER", "default", "-client|pause")
        yield


def test_a_server_that_cannot_pause_is_told_and_asked_about(embedded_stack: Stack) -> None:
    """An ACL forbids it; --yes confirms."""
    stack = embedded_stack
    stack("redis", "up")
    with _no_pause(stack) as _, stack.client() as client:
        client.set("wh:session:+1", "x")

        asked = stack("redis", "reset")
        done = stack("redis", "reset", "--yes", "--json")

    said = "Warning: Redis can't hold writers back meanwhile"
    assert asked.status == ExitStatus.NOT_CONFIRMED
    assert said in asked.err
    assert done.status == ExitStatus.OK, done.err
    assert said in done.err
    assert Path(done.json["backup"]).exists()
    assert exported(stack) == {"wh:session:+1"}


def test_without_an_export_nobody_waits(embedded_stack: Stack) -> None:
    """Nothing is exported, so a server that can't pause is no problem."""
    stack = embedded_stack
    stack("redis", "up")
    with _no_pause(stack):
        done = stack("redis", "reset", "--yes", "--no-backup")

    assert done.status == ExitStatus.OK, done.err
    assert "Warning" not in done.err


@pytest.mark.skipif(sys.platform == "win32", reason="the embedded server is not for Windows")
def test_every_primary_of_a_topology_holds_its_writers_back(topology: Topology) -> None:
    """A primary that can't is reported."""
    topology.up()
    (port, *_) = topology.ports_of("primary")
    with redis.Redis(port=port, protocol=2) as client:
        client.execute_command("ACL", "SETUSER", "default", "-client|pause")

    asked = topology.run("reset")

    assert asked.status == ExitStatus.NOT_CONFIRMED
    assert "Warning: Redis can't hold writers back meanwhile" in asked.err


def _backups(stack: Stack) -> Path:
    return stack.folder / "state" / "pawsctl" / stack.project / "backups"
