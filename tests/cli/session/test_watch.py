"""`pawsctl session watch` on real servers."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from pawsctl import clock
from pawsctl.config.redis_url import parse
from pawsctl.connection import connect
from pawsctl.errors import ExitStatus, RedisUnreachable
from pawsctl.sessions.contract.model import Record
from pawsctl.sessions.store.store import SessionStore
from pawsctl.sessions.watch import watch
from tests import servers
from tests.cli_runner import Pawsctl
from tests.conftest import SAMPLES
from tests.following import DEADLINE_SECONDS, Following, following
from tests.servers import Server

GREETING = (SAMPLES / "greeting.json").read_bytes()
WAITING = (SAMPLES / "waiting.json").read_bytes()
WATCH = ("session", "watch", "--interval", "100ms")


def conversation(*texts: str) -> bytes:
    """Return a session in which the user wrote those texts."""
    messages = [{"role": "user", "content": text} for text in texts]
    return json.dumps({"status": "active", "messages": messages, "updatedAt": 1}).encode()


def test_a_session_is_seen_to_appear_change_and_go(any_server: Server, tmp_path: Path) -> None:
    """Each event is a line of JSON; sessions that exist at the start are no events."""
    redis = any_server.client
    redis.set("wh:session:+1", GREETING, ex=600)
    with following(Pawsctl(tmp_path, any_server.url), *WATCH, "--json") as watch:
        assert "Watching 1 session in redis://" in watch.said()
        redis.set("wh:session:+2", WAITING, ex=600)
        appeared = watch.event()
        assert list(appeared) == [
            "time", "event", "phone", "key", "ttl", "status", "messages", "last_message", "problem",
        ]  # fmt: skip
        assert (appeared["event"], appeared["phone"]) == ("appeared", "+2")
        assert 0 < appeared["ttl"] <= 600
        assert (appeared["messages"], appeared["status"]) == (3, "active")
        assert "gata" in appeared["last_message"]
        redis.set("wh:session:+1", WAITING, ex=21_600)
        changed = watch.event()
        assert (changed["event"], changed["phone"], changed["messages"]) == ("changed", "+1", 3)
        redis.expire("wh:session:+1", 10_000)
        assert (watch.event()["event"], redis.ttl("wh:session:+1")) == ("touched", 10_000)
        redis.delete("wh:session:+1")
        gone = watch.event()
        assert (gone["event"], gone["phone"], gone["ttl"]) == ("deleted", "+1", None)
        redis.expire("wh:session:+2", 1)
        assert watch.event()["event"] == "touched"
        assert watch.event()["event"] == "expired"
        assert watch.interrupt() == ExitStatus.INTERRUPTED
        assert watch.out.empty()
        # On a busy machine polls become rarer, which is reported.
        assert all("a poll takes" in str(line) for line in watch.err.queue)


def test_where_reading_leaves_lru_alone_a_write_with_the_same_ttl_is_seen(
    server: Server, pawsctl: Pawsctl
) -> None:
    """Its size shows it; if that is the same, it counts as a touch only if the value is, too."""
    server.client.set("wh:session:+1", conversation("a"))
    with following(pawsctl, *WATCH, "--json") as watch:
        watch.said()
        server.client.set("wh:session:+1", conversation("a", "b"))
        assert watch.event()["event"] == "changed"
        server.client.set("wh:session:+1", conversation("x", "y"), ex=600)
        assert watch.event()["event"] == "changed"


def test_where_it_does_not_the_user_is_told(redis_server: Server, tmp_path: Path) -> None:
    """A server before 7.2 has no CLIENT NO-TOUCH."""
    redis_server.client.flushall()
    if redis_server.client.info("server")["redis_version"] >= "7.2":
        pytest.skip("this Redis has CLIENT NO-TOUCH")
    with following(Pawsctl(tmp_path, redis_server.url), *WATCH) as watch:
        assert "NO-TOUCH" in watch.said()


def test_events_are_lines_for_a_person_too(server: Server, pawsctl: Pawsctl) -> None:
    """They contain no control sequence for a terminal."""
    with following(pawsctl, *WATCH) as watch:
        watch.said()
        server.client.set("wh:session:+1", conversation("\x1b[31mhola\u202e"), ex=600)
        line = watch.line()
        assert line.split()[1:4] == ["appeared", "+1", "1"]
        assert line.endswith("\\x1b[31mhola\\u202e")
        server.client.set("wh:session:+2", b"{", ex=600)
        assert "! json: " in watch.line()


def test_a_glob_limits_what_is_watched(server: Server, pawsctl: Pawsctl) -> None:
    """Other sessions cause no events."""
    with following(pawsctl, *WATCH, "--match", "+5*", "--json") as watch:
        watch.said()
        server.client.set("wh:session:+41", GREETING, ex=600)
        server.client.set("wh:session:+51", GREETING, ex=600)
        assert watch.event()["phone"] == "+51"


def test_a_conversation_is_followed_like_a_file(any_server: Server, tmp_path: Path) -> None:
    """It prints the latest messages, then each new one, also after the bot trims old ones."""
    redis, key = any_server.client, "wh:session:+1"
    redis.set(key, conversation("a", "b", "c"), ex=600)
    pawsctl = Pawsctl(tmp_path, any_server.url)
    with following(pawsctl, *WATCH, "+1", "--last", "2", "--json") as watch:
        assert [watch.event()["text"] for _ in "bc"] == ["b", "c"]
        redis.set(key, conversation("b", "c", "d"), ex=21_600)
        event = watch.event()
        assert list(event) == ["time", "event", "phone", "key", "role", "text", "message"]
        assert event["message"] == {"role": "user", "content": "d"}
        redis.expire(key, 600)
        assert watch.event()["event"] == "touched"
        redis.set(key, conversation("x"), ex=600)
        assert [watch.event()["event"], watch.event()["text"]] == ["changed", "x"]
        redis.delete(key)
        assert watch.event()["event"] == "deleted"
        redis.set(key, conversation("y"), ex=1)
        assert [watch.event()["event"] for _ in "123"] == ["appeared", "message", "expired"]
        assert watch.interrupt() == ExitStatus.INTERRUPTED


def test_a_conversation_that_has_not_begun_is_waited_for(server: Server, pawsctl: Pawsctl) -> None:
    """It is then shown as a transcript; glob characters in a phone are literal."""
    server.client.set("wh:session:*", GREETING, ex=600)
    with following(pawsctl, *WATCH, "wh:session:+*") as watch:
        said = watch.said()
        assert "No session is stored for +* in" in said
        assert said.endswith("There is one for *.")
        server.client.set("wh:session:+5", GREETING, ex=600)
        server.client.set("wh:session:+*", GREETING, ex=600)
        lines = [watch.line() for _ in range(3)]
        assert "appeared" in lines[0]
        assert (lines[1][:4], lines[2][:3]) == ("user", "bot")


@pytest.mark.parametrize(
    "options", [["--interval", "0s"], ["--interval", "2"], ["hello"], ["-o", "csv"]]
)
def test_wrong_options_are_wrong_usage(pawsctl: Pawsctl, options: list[str]) -> None:
    """Exit 2."""
    assert pawsctl("session", "watch", *options).status == ExitStatus.USAGE


def test_on_a_terminal_a_table_is_drawn_and_ctrl_c_restores_it(
    server: Server, pawsctl: Pawsctl
) -> None:
    """The cursor is hidden meanwhile and shown at the end; exit 130."""
    server.client.set("wh:session:+1", GREETING, ex=600)
    here, there = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "pawsctl", *WATCH],
        stdin=there, stdout=there, stderr=there, cwd=pawsctl.folder,
        env=pawsctl.environment | {"TERM": "xterm-256color", "COLUMNS": "100", "LINES": "20"},
    )  # fmt: skip
    os.close(there)
    seen = b""
    with os.fdopen(here, "rb", buffering=0) as terminal:
        while b"nothing has happened yet" not in seen:
            seen += terminal.read(4_096)
        server.client.set("wh:session:+2", conversation("\x1b]0;pwned\x07"), ex=600)
        while b"pwned" not in seen:
            seen += terminal.read(4_096)
        process.send_signal(signal.SIGINT)
        # Linux raises OSError if the other end of a terminal was closed.
        with suppress(OSError):
            while more := terminal.read(4_096):
                seen += more
    assert process.wait(DEADLINE_SECONDS) == ExitStatus.INTERRUPTED
    assert b"\x1b[?25l" in seen
    assert seen.rindex(b"\x1b[?25h") > seen.rindex(b"\x1b[?25l")
    assert b"\\x1b]0;pwned\\x07" in seen
    assert b"Traceback" not in seen


def test_of_too_many_sessions_a_steady_part_is_followed(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None of the others is reported as new; memory stays bounded."""
    monkeypatch.setattr(watch, "FOLLOWED", 50)
    pipe = server.client.pipeline(transaction=False)
    for number in range(1_000):
        pipe.set(f"wh:session:+{number}", GREETING, ex=600)
    pipe.execute()
    polls: list[watch.Poll] = []
    with SessionStore(connect(parse(server.url, origin="the test"))) as store:
        stream = watch.follow(store, None, interval=0.1, sleep=lambda _: None)
        for each in stream:
            assert isinstance(each, watch.Poll), "an event where nothing happened"
            polls.append(each)
            if len(polls) == 3:
                break
    assert {poll.sessions for poll in polls} == {1_000}
    assert {poll.one_in for poll in polls} == {polls[0].one_in}
    assert polls[0].one_in >= 16


def test_polls_become_rarer_where_they_take_long(server: Server) -> None:
    """They take at most a quarter of the time; a large change is reported."""
    slept: list[float] = []
    polls: list[watch.Poll] = []
    with SessionStore(connect(parse(server.url, origin="the test"))) as store:
        for each in watch.follow(store, None, interval=1e-6, sleep=slept.append):
            assert isinstance(each, watch.Poll)
            polls.append(each)
            if len(polls) == 3:
                break
    assert all(poll.is_slowed for poll in polls)
    told = [poll.pause for poll in polls if poll.is_news]
    assert told[0] == polls[0].pause
    assert all(not 0.5 < now / then < 2 for then, now in pairwise(told))
    assert all(poll.seconds <= poll.pause * watch.SHARE * 1.001 for poll in polls)
    for poll, pause in zip(polls, slept, strict=False):
        assert 0 < pause <= poll.pause


def test_after_a_sleep_of_the_machine_nothing_is_said_to_be_touched(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server's time went on, and what had to expire meanwhile was not deleted."""
    slept = 0.0
    wakeful = clock.now
    monkeypatch.setattr(clock, "now", lambda: wakeful() + slept)
    server.client.set("wh:session:+1", GREETING, ex=7_200)
    server.client.set("wh:session:+2", GREETING, ex=600)
    seen: list[tuple[str, str]] = []

    def sleep(_: float) -> None:
        nonlocal slept
        if not slept:
            slept = 3_600.0
            server.client.pexpire("wh:session:+1", server.client.pttl("wh:session:+1") - 3_600_000)
            server.client.delete("wh:session:+2")

    with SessionStore(connect(parse(server.url, origin="the test"))) as store:
        for polls, each in enumerate(watch.follow(store, None, interval=0.1, sleep=sleep)):
            if isinstance(each, watch.SessionEvent):
                seen.append((each.event, each.phone))
            if polls == 3:
                break
    assert seen == [("expired", "+2")]


class _CutOnce(SessionStore):
    """A store whose second reading of values fails."""

    readings = 0

    def records_of(self, names: Sequence[bytes], **options: Any) -> list[Record | None]:
        self.readings += 1
        if self.readings == 2:
            raise RedisUnreachable("It hung up.", hint="")
        return super().records_of(names, **options)


def test_a_poll_that_fails_halfway_loses_no_event(server: Server) -> None:
    """It has seen the keys and not their values: the next poll reads those."""
    server.client.set("wh:session:+1", conversation("a"), ex=600)
    seen: list[tuple[str, str]] = []
    with _CutOnce(connect(parse(server.url, origin="the test"))) as store:
        for each in watch.follow(store, None, interval=0.1, sleep=lambda _: None):
            if isinstance(each, watch.Poll):
                if seen:
                    break
                server.client.set("wh:session:+1", conversation("a", "b"), ex=600)
                server.client.set("wh:session:+2", conversation("a"), ex=600)
            else:
                seen.append((each.event, getattr(each, "phone", "")))
    assert seen == [
        ("disconnected", ""), ("reconnected", ""), ("appeared", "+2"), ("changed", "+1")
    ]  # fmt: skip


def test_polls_outlive_a_server_that_cuts_idle_connections(tmp_path: Path) -> None:
    """Its `timeout` may be shorter than the interval."""
    with servers.running(tmp_path, "--timeout", "1", "--hz", "100") as server:
        pawsctl = Pawsctl(tmp_path, server.url)
        with following(pawsctl, "session", "watch", "--interval", "3s", "--json") as watch:
            watch.said()
            server.client.set("wh:session:+1", "{}", ex=60)
            assert watch.event()["event"] == "appeared"
            server.client.delete("wh:session:+1")
            assert watch.event()["event"] == "deleted"


def killed(server: Server) -> None:
    """Kill a server, and return when its port is free."""
    server.process.kill()
    server.process.wait()


@contextmanager
def watching_a_dead_server(tmp_path: Path, seconds: str) -> Iterator[tuple[Server, Following]]:
    """Yield a server that was killed, and a watch that has said so and waits so many `seconds`."""
    with servers.running(tmp_path) as server:
        arguments = (*WATCH, "--json", "--failover-timeout", seconds)
        with following(Pawsctl(tmp_path, server.url), *arguments) as watch:
            watch.said()
            killed(server)
            assert watch.event()["event"] == "disconnected"
            yield server, watch


@pytest.mark.parametrize("phone", [(), ("+1",)], ids=["all", "one"])
def test_a_server_that_was_restarted_is_watched_again(
    tmp_path: Path, phone: tuple[str, ...]
) -> None:
    """The list has an event for each end of the gap, then those for what changed meanwhile."""
    with servers.running(tmp_path, "--appendonly", "yes", "--appendfsync", "always") as server:
        server.client.set("wh:session:+1", conversation("a"), ex=600)
        pawsctl = Pawsctl(tmp_path, server.url)
        arguments = (*WATCH, *phone, "--json", "--failover-timeout", "60")
        with following(pawsctl, *arguments) as watch:
            watch.event() if phone else watch.said()
            for text in "bc":
                killed(server)
                lost = watch.event()
                assert list(lost) == ["time", "event", "reason", "timeout"]
                assert (lost["event"], lost["timeout"]) == ("disconnected", 60)
                assert server.url in lost["reason"]
                assert watch.told().startswith(f"Disconnected. {lost['reason']} Waiting up to 60 s")
                server.restart()
                back = watch.event()
                assert (back["event"], back["reason"]) == ("reconnected", None)
                assert watch.told() == "Reconnected."
                server.client.set("wh:session:+1", conversation("a", text), ex=600)
                kinds = ["changed"] if not phone else ["message"] if text == "b" else ["changed"]
                assert watch.event()["event"] in kinds
                if phone and text == "c":
                    assert watch.event()["event"] == "message"
            assert watch.interrupt() == ExitStatus.INTERRUPTED


def test_what_a_restarted_server_lost_is_told_after_the_gap(tmp_path: Path) -> None:
    """It loads for a while before: meanwhile nothing is taken for gone."""
    slowly = ("--key-load-delay", "20000", "--loading-process-events-interval-bytes", "1024")
    with servers.running(tmp_path, "--appendonly", "yes", "--appendfsync", "always") as server:
        for number in range(100):
            server.client.set(f"wh:session:+{number}", GREETING, ex=600)
        pawsctl = Pawsctl(tmp_path, server.url)
        with following(pawsctl, *WATCH) as watch:
            watch.said()
            killed(server)
            assert "  disconnected  Redis at redis://" in watch.line()
            assert watch.told().startswith("Disconnected. ")
            server.restart(*slowly)
            assert watch.line().endswith("  reconnected")
            server.client.delete("wh:session:+7")
            assert watch.line().split()[1:3] == ["deleted", "+7"]
            killed(server)
            assert " disconnected " in watch.line()
            server.restart("--appendonly", "no")
            assert watch.line().endswith("  reconnected")
            gone = {watch.line().split()[1] for _ in range(99)}
            assert gone == {"deleted"}


@pytest.mark.parametrize("phone", [(), ("+1",)], ids=["all", "one"])
def test_events_after_a_gap_are_dated_after_it(tmp_path: Path, phone: tuple[str, ...]) -> None:
    """Who sorts by time has those of the gap behind its end."""
    with servers.running(tmp_path) as server:
        server.client.set("wh:session:+1", conversation("a"), ex=600)
        with following(Pawsctl(tmp_path, server.url), *WATCH, *phone, "--json") as watch:
            watch.event() if phone else watch.said()
            killed(server)
            times = [watch.event()["time"]]
            server.restart()
            times += [watch.event()["time"] for _ in ("reconnected", "deleted")]
        assert times == sorted(times)


def test_a_server_that_does_not_come_back_ends_a_watch(tmp_path: Path) -> None:
    """After --failover-timeout; exit 5, and the last line of stderr tells why."""
    with watching_a_dead_server(tmp_path, "0.5") as (_, watch):
        assert watch.process.wait(DEADLINE_SECONDS) == ExitStatus.UNREACHABLE
        assert watch.out.empty()
        watch.told()
        error = json.loads(watch.told())["error"]
        assert error["code"] == "unreachable"
        assert error["message"].endswith("It was not back within 0.5 s.")
        assert "--failover-timeout" in error["hint"]


def test_a_server_that_hangs_is_an_outage_too(tmp_path: Path) -> None:
    """As one whose container is paused."""
    with servers.running(tmp_path) as server:
        pawsctl = Pawsctl(tmp_path, server.url)
        arguments = (*WATCH, "--json", "--timeout", "1", "--failover-timeout", "60")
        with following(pawsctl, *arguments) as watch:
            watch.said()
            server.process.send_signal(signal.SIGSTOP)
            assert "did not answer in time" in watch.event()["reason"]
            server.process.send_signal(signal.SIGCONT)
            assert watch.event()["event"] == "reconnected"


def test_a_password_that_was_changed_meanwhile_ends_a_watch(tmp_path: Path) -> None:
    """Waiting would not help; exit 5 at once."""
    with watching_a_dead_server(tmp_path, "60") as (server, watch):
        server.restart("--requirepass", "other")
        assert watch.process.wait(DEADLINE_SECONDS) == ExitStatus.UNREACHABLE
        watch.told()
        assert json.loads(watch.told())["error"]["code"] == "login-refused"


def test_a_board_says_that_it_is_not_of_now(tmp_path: Path) -> None:
    """As long as the server is gone; afterwards the gap stays in the list of events."""
    here, there = pty.openpty()
    with servers.running(tmp_path) as server, os.fdopen(here, "rb", buffering=0) as terminal:
        pawsctl = Pawsctl(tmp_path, server.url)
        process = subprocess.Popen(
            [sys.executable, "-m", "pawsctl", *WATCH, "--failover-timeout", "60"],
            stdin=there, stdout=there, stderr=there, cwd=pawsctl.folder,
            env=pawsctl.environment | {"TERM": "xterm-256color", "COLUMNS": "100", "LINES": "20"},
        )  # fmt: skip
        os.close(there)

        def until(wanted: bytes) -> bytes:
            seen, words = b"", b""
            while wanted not in words:
                seen += terminal.read(4_096)
                words = re.sub(rb"\x1b\[[\d;?]*[a-zA-Z]", b"", seen)
            return words

        until(b"nothing has happened yet")
        killed(server)
        assert b"Disconnected at " in until(b"1 disconnected (Ctrl-C ends)")
        server.restart()
        seen = until(b"1 disconnected, 1 reconnected (Ctrl-C ends)")
        assert b"Watching 0 sessions" in seen
        assert b"Disconnected at" not in seen
        process.send_signal(signal.SIGINT)
        with suppress(OSError):
            while terminal.read(4_096):
                pass
        assert process.wait(DEADLINE_SECONDS) == ExitStatus.INTERRUPTED
