"""Commands sent but never answered count as unknown, apart from known results, at every cut."""

import json
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pawsctl.errors import ExitStatus
from tests.archives import entry, write
from tests.cli_runner import Pawsctl, Result
from tests.faults.proxy import Bend, Cut, bending
from tests.servers import Server

SESSIONS = 1_300
SOUND = '{"status":"active","messages":[],"updatedAt":1790000000000}'


def fill(server: Server) -> None:
    """Write many sessions, and a key that is not a session."""
    server.client.flushall()
    each = "redis.call('SET', 'wh:session:+' .. number, ARGV[2], 'EX', 600)"
    script = f"for number = 0, ARGV[1] - 1 do {each} end"
    server.client.eval(script, 0, str(SESSIONS), SOUND)
    server.client.set("other", "1")


def replies(server: Server, run: Callable[[int], Result]) -> int:
    """Return how many replies the command gets if nothing is cut."""
    with bending(server.port, Bend(change=lambda _number, reply: reply)) as (port, seen):
        assert run(port).status == 0
    return seen.replies


def cuts(count: int) -> Iterator[Callable[[int, bytes], bytes]]:
    """Return cuts within replies and behind them, the last but one among them.

    A reply is known by its number: its place in bytes differs from run to run.
    """

    def cut(at: int, *, within: bool) -> Callable[[int, bytes], bytes]:
        def change(number: int, reply: bytes) -> bytes:
            if number == at:
                raise Cut(reply[:-1] if within else reply)
            return reply

        return change

    for at in (*range(0, count - 2, max(1, count // 12)), count - 2):
        yield cut(at, within=True)
        yield cut(at, within=False)


def outcomes(
    server: Server, run: Callable[[int], Result], arrange: Callable[[], None]
) -> Iterator[dict[str, Any]]:
    """Yield the error of each run that was cut once, which must be reported as one."""
    arrange()
    for change in cuts(replies(server, run)):
        arrange()
        with bending(server.port, Bend(change=change)) as (port, _):
            result = run(port)
        if result.status:
            assert result.status == ExitStatus.UNREACHABLE, result
            assert result.out == b""
            yield dict(result.error)


def assert_told(error: dict[str, Any], what: str, changed: int) -> None:
    """Assert that everything reported was done, and everything done is reported or unknown."""
    assert error[what] <= changed <= error[what] + error["unknown"], error
    if error[what]:
        assert str(error[what]) in error["message"]
    assert ("no one knows" in error["message"]) == (error["unknown"] > 0)


@pytest.mark.parametrize("filters", [[], ["--match", "+1*", "--idle", "1s"]])
def test_a_flush_that_is_cut_tells_what_is_deleted_and_what_no_one_knows(
    pawsctl: Pawsctl, server: Server, filters: list[str]
) -> None:
    """The cut is at each boundary between replies, and within each."""

    def run(port: int) -> Result:
        url = f"redis://127.0.0.1:{port}"
        return pawsctl("session", "flush", "--yes", "--json", "--url", url, *filters)

    unknown = 0
    for error in outcomes(server, run, lambda: fill(server)):
        if "deleted" in error:
            left = len(server.client.keys("wh:session:*"))
            assert_told(error, "deleted", SESSIONS - left)
            unknown += error["unknown"] > 0
        else:
            # The flush had not begun.
            assert len(server.client.keys("wh:session:*")) == SESSIONS
        assert server.client.exists("other")
    assert unknown


@pytest.mark.parametrize(("command", "what"), [("delete", "deleted"), ("touch", "touched")])
def test_sessions_of_which_no_one_knows_are_named(
    pawsctl: Pawsctl, server: Server, command: str, what: str
) -> None:
    """Commands answered before the cut count as done."""
    phones = [f"+{number}" for number in range(700)]

    def run(port: int) -> Result:
        url = f"redis://127.0.0.1:{port}"
        return pawsctl("session", command, "--json", "--url", url, *phones)

    seen = set()
    for error in outcomes(server, run, lambda: fill(server)):
        if what not in error:
            continue
        with server.client.pipeline(transaction=False) as pipe:
            for phone in phones:
                pipe.ttl(f"wh:session:{phone}")
            still = sum(ttl in range(601) for ttl in pipe.execute())
        assert_told(error, what, len(phones) - still)
        seen.add((error[what], error["unknown"]))
        if error["unknown"]:
            assert f"no one knows: +{error[what]}" in error["message"]
    assert len({done for done, _ in seen}) > 2


@pytest.mark.parametrize("option", [[], ["--replace"]])
def test_an_import_that_is_cut_tells_what_is_written_and_what_no_one_knows(
    pawsctl: Pawsctl, server: Server, tmp_path: Path, option: list[str]
) -> None:
    """An existing session counts as kept, wherever the connection is cut after it."""
    entries = [entry(f"+{number}", SOUND) for number in range(SESSIONS)]
    file = write(tmp_path / "a.jsonl", entries)

    def arrange() -> None:
        server.client.flushall()
        server.client.set("wh:session:+3", "mine")

    def run(port: int) -> Result:
        url = f"redis://127.0.0.1:{port}"
        return pawsctl("session", "import", "--json", "--url", url, str(file), *option)

    done = set()
    for error in outcomes(server, run, arrange):
        if "imported" not in error:
            continue
        written = len(server.client.keys("wh:session:*")) - 1
        written += server.client.get("wh:session:+3") != b"mine"
        assert_told(error, "imported", written)
        assert error["kept"] == (not option and error["imported"] > 3)
        done.add(error["imported"])
    assert len(done) > 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_flush_tells_what_is_deleted_and_what_no_one_knows(
    pawsctl: Pawsctl, server: Server, number: int
) -> None:
    """The reply that it waits for may still come."""
    fill(server)
    held, let_go = threading.Event(), threading.Event()

    def hold(_number: int, reply: bytes) -> bytes:
        # A step of SCAN has about 500 keys.
        if reply[:1] == b":" and int(reply[1:]) > 100 and not held.is_set():
            held.set()
            let_go.wait(30)
        return reply

    with bending(server.port, Bend(change=hold)) as (port, _):
        url = f"redis://127.0.0.1:{port}"
        words = ("session", "flush", "--yes", "--no-backup", "--json", "--url", url)
        process = pawsctl.start(*words)
        assert held.wait(30)
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
        let_go.set()
    error = json.loads(err.decode().splitlines()[-1])["error"]
    assert (out, error["code"]) == (b"", "interrupted")
    deleted = SESSIONS - len(server.client.keys("wh:session:*"))
    assert error["deleted"] == 0
    assert 0 < deleted <= error["unknown"]
    assert error["message"].count(f"of {error['unknown']} more no one knows") == 1


@pytest.mark.parametrize("number", [0, 2, 5, 7, 8])
@pytest.mark.parametrize("always", [False, True])
def test_a_test_session_that_cannot_clean_up_names_what_may_be_left(
    pawsctl: Pawsctl, server: Server, number: int, *, always: bool
) -> None:
    """The first cause is named, too; if it could clean up, nothing is left or reported."""
    counts = iter(range(100))

    def cut(_number: int, reply: bytes) -> bytes:
        # EXPIRE twice, EXISTS twice, DEL; all others belong to the cleanup.
        if reply in (b":0\r\n", b":1\r\n"):
            count = next(counts)
            if count == number or (always and count > number):
                raise ConnectionError
        return reply

    with bending(server.port, Bend(change=cut)) as (port, _):
        url = f"redis://127.0.0.1:{port}"
        result = pawsctl("test-session", "--json", "--url", url)
    error: dict[str, Any] = dict(result.error)
    named = error["message"].partition("these keys may be left: ")[2]
    left = list(map(str, server.client.keys("*")))
    assert (result.status, result.out) == (ExitStatus.UNREACHABLE, b"")
    assert all(key[2:-1] in named for key in left)
    if number < 5 and not always:
        assert not left
        assert not named
    else:
        assert error["unknown"] == named.count("wh:")
        assert "expires by itself" in error["hint"]
        server.client.flushall()
