"""Data counts as written to when a failed `up` is undone: only what is surely empty is deleted."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import redis

from pawsctl.stack.engine.paused_writers import Writers
from pawsctl.stack.engine.rollback import Undo
from pawsctl.stack.engine.written_meanwhile import Meanwhile
from tests.ports import free_port
from tests.servers import Server

_ENDLESS = "while true do end"


def _undone(
    port: int, *, is_running: Callable[[], bool] = lambda: True, has_answered: bool = True
) -> Meanwhile:
    """Return what was found when an `up` that has started a server at a port was undone."""
    with Undo() as undo:
        meanwhile = Meanwhile(undo)
        meanwhile.started("redis", port, None, is_running)
        if has_answered:
            meanwhile.answered("redis")
    return meanwhile


@contextmanager
def _busy(server: Server) -> Iterator[None]:
    """Have a script run that answers every other client BUSY, until the block ends."""
    server.client.config_set("busy-reply-threshold", 1)

    def run() -> None:
        with (
            pytest.raises(redis.ResponseError),
            redis.Redis(port=server.port, protocol=2) as client,
        ):
            client.eval(_ENDLESS, 0)

    script = threading.Thread(target=run)
    script.start()
    while not _is_busy(server):
        pass
    try:
        yield
    finally:
        server.client.script_kill()
        script.join()
        server.client.config_set("busy-reply-threshold", 5_000)


def _is_busy(server: Server) -> bool:
    try:
        server.client.ping()
    except redis.ResponseError as error:
        return str(error).startswith("Redis is busy") or "BUSY" in str(error)
    return False


def test_a_look_that_fails_counts_as_written(server: Server) -> None:
    """The engine does not say whether the server runs."""

    def fails() -> bool:
        raise OSError("the engine hangs")

    found = _undone(server.port, is_running=fails)

    assert found.is_written
    assert found.undo.failures == ["the engine hangs."]


def test_a_server_that_answered_and_has_ended_counts_as_written() -> None:
    """It crashed, or is just between two starts."""
    assert _undone(free_port(), is_running=lambda: False).is_written
    assert _undone(free_port()).is_written


def test_a_server_that_never_answered_counts_as_empty() -> None:
    """Nobody can have written to it."""
    assert not _undone(free_port(), has_answered=False).is_written
    assert not _undone(free_port(), is_running=lambda: False, has_answered=False).is_written


def test_a_server_without_keys_counts_as_empty(server: Server) -> None:
    """It says so itself."""
    server.client.flushall()

    assert not _undone(server.port).is_written


def test_a_server_that_is_busy_counts_as_written(server: Server) -> None:
    """A script keeps it from telling; its answer is an error."""
    with _busy(server):
        found = _undone(server.port, has_answered=False)

    assert found.is_written


def test_a_server_that_is_busy_can_pause_writers_later(server: Server) -> None:
    """This is no reason to copy data while others write."""
    with _busy(server):
        assert Writers(server.port, None).refusal() == ""


def test_a_server_without_the_command_can_not_pause_writers(server: Server) -> None:
    """An ACL forbids it."""
    server.client.execute_command("ACL", "SETUSER", "default", "-client|pause")
    try:
        assert "client|pause" in Writers(server.port, None).refusal()
    finally:
        server.client.execute_command("ACL", "SETUSER", "default", "+client|pause")
