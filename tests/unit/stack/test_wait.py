"""Waiting until a server answers, depending on its replies; and the lock of a project."""

import itertools
import threading
import time
from pathlib import Path

import pytest

from pawsctl.connection import probe
from pawsctl.errors import OperationFailed, TimedOut
from pawsctl.stack.engine.protocol import Plan
from pawsctl.stack.engine.wait import until_ready
from pawsctl.stack.events import Event, Waiting
from pawsctl.stack.project.lock import locked
from tests import servers
from tests.ports import free_port
from tests.servers import Server


def _plan(answers: list[str]) -> Plan:
    return Plan(
        services=["redis"],
        probes={"redis": lambda: answers.pop(0) if len(answers) > 1 else answers[0]},
        timeout=0.2,
        emit=lambda _event: None,
    )


def _wait(plan: Plan, *, died: str = "", log: str = "last words") -> None:
    until_ready(
        "redis",
        plan,
        deadline=time.monotonic() + plan.timeout,
        died=lambda: died,
        log_tail=lambda: (log,),
    )


def test_it_is_ready_when_the_probe_is_content() -> None:
    """The probe may run any number of times before."""
    _wait(_plan(["connection refused", "LOADING", ""]))


def test_the_deadline_tells_the_last_state_and_the_log() -> None:
    """The message also says how long it waited."""
    with pytest.raises(TimedOut, match=r"within 0\.2 s; the last state was: LOADING") as caught:
        _wait(_plan(["connection refused", "LOADING"]))
    assert caught.value.detail == ("last words",)


@pytest.mark.parametrize(
    ("log", "words"),
    [
        ("Redis error Error: getaddrinfo ENOTFOUND redis", "aardvark-dns"),
        ("Redis error Error: connect ETIMEDOUT", "firewall"),
        ("last words", "--timeout"),
    ],
)
def test_the_hint_is_about_what_the_log_says(log: str, words: str) -> None:
    """For example, a longer timeout does not help a network without DNS."""
    with pytest.raises(TimedOut) as caught:
        _wait(_plan(["not connected"]), log=log)
    assert words in caught.value.hint


def test_one_that_ended_is_not_waited_for() -> None:
    """The wait ends long before the deadline."""
    plan = Plan(
        services=["redis"],
        probes={"redis": lambda: "connection refused"},
        timeout=60,
        emit=lambda _event: None,
    )
    with pytest.raises(OperationFailed, match="it exited") as caught:
        _wait(plan, died="it exited")
    assert caught.value.detail == ("last words",)
    assert caught.value.hint == "Its log says why."

    with pytest.raises(OperationFailed) as caught:
        _wait(plan, died="it exited", log="exec /entrypoint.sh: exec format error")
    assert "another processor" in caught.value.hint


def test_another_servers_answer_does_not_count() -> None:
    """Our server has ended, and another one answers on the port."""
    with pytest.raises(OperationFailed, match="another server"):
        _wait(_plan([""]), died="it exited")


def test_a_server_is_pinged_with_its_password(tmp_path: Path) -> None:
    """Without it, or with another, the state is the server's refusal."""
    with servers.running(tmp_path, password="pa ss") as server:
        assert probe.ping(server.port, "pa ss") == ""
        assert probe.ping(server.port, None).startswith("NOAUTH")
        assert probe.ping(server.port, "wrong").startswith("WRONGPASS")
        assert probe.info(server.port, "pa ss")["tcp_port"] == str(server.port)
        with pytest.raises(probe.ProbeLoginRefused):
            probe.info(server.port, "wrong")


def test_a_password_that_nobody_asks_for_is_as_good_as_none(server: Server) -> None:
    """redis-cli does the same."""
    assert probe.ping(server.port, "pa ss") == ""
    assert probe.info(server.port, "pa ss")["tcp_port"] == str(server.port)


def test_nobody_there_is_told_as_the_system_tells_it() -> None:
    """Neither ping nor info raises."""
    port = free_port()
    assert probe.ping(port, None) == "Connection refused"
    assert probe.info(port, None) == {}


def test_info_reads_the_whole_reply(server: Server) -> None:
    """It is longer than one packet."""
    found = probe.info(server.port, None)

    assert {"used_memory", "used_memory_peak", "maxmemory"} <= found.keys()


def test_the_lock_lets_one_in_at_a_time(tmp_path: Path) -> None:
    """The second waits, says so once, and goes on when the first is done."""
    events: list[Event] = []
    entered: list[str] = []

    def second() -> None:
        with locked(tmp_path, deadline=time.monotonic() + 10, emit=events.append):
            entered.append("second")

    with locked(tmp_path, deadline=time.monotonic(), emit=events.append):
        thread = threading.Thread(target=second)
        thread.start()
        while not events:
            time.sleep(0.01)
        entered.append("first")
    thread.join()

    assert entered == ["first", "second"]
    assert [type(each) for each in events] == [Waiting]


def test_a_moment_of_waiting_is_not_worth_a_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two commands started together wait briefly for the lock without a message."""
    events: list[Event] = []
    waits = threading.Event()

    def sleep(_seconds: float) -> None:
        waits.set()

    def second() -> None:
        with locked(tmp_path, deadline=10, emit=events.append):
            pass

    # Nine tenths of a second, however long a busy machine takes: each reads it once at its start.
    clock = itertools.chain((0.0, 0.0), itertools.repeat(0.9))
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(time, "sleep", sleep)
    with locked(tmp_path, deadline=0, emit=events.append):
        thread = threading.Thread(target=second)
        thread.start()
        waits.wait()
    thread.join()

    assert events == []


def test_a_lock_that_is_held_too_long_is_not_waited_for(tmp_path: Path) -> None:
    """The deadline applies to the lock, too."""
    with (
        locked(tmp_path, deadline=time.monotonic(), emit=print),
        pytest.raises(TimedOut),
        locked(tmp_path, deadline=time.monotonic() + 0.1, emit=lambda _event: None),
    ):
        pass
