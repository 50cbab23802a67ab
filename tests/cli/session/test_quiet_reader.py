"""An ACL user who may only read sessions can use every reading command."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pawsctl.errors import ExitStatus
from tests.cli_runner import Pawsctl
from tests.conftest import BROKEN, GOOD
from tests.following import following
from tests.servers import Server


@pytest.fixture
def quiet(any_server: Server, tmp_path: Path) -> Iterator[Pawsctl]:
    """pawsctl as that user, on a server with every sample."""
    for number, path in enumerate([*GOOD, *BROKEN]):
        any_server.client.set(f"wh:session:+{number}", path.read_bytes(), ex=600)
    any_server.client.hset("wh:session:+hash", "a", "b")
    any_server.client.execute_command(
        "ACL", "SETUSER", "quiet", "reset", "on", ">pw", "%R~wh:*",
        "+scan", "+get", "+mget", "+ttl", "+pttl", "+type", "+ping", "+strlen",
    )  # fmt: skip
    yield Pawsctl(tmp_path, f"redis://quiet:pw@127.0.0.1:{any_server.port}")
    any_server.client.execute_command("ACL", "DELUSER", "quiet")


SESSIONS = len(GOOD) + len(BROKEN) + 1


def test_list_get_and_ttl_leave_nothing_out(quiet: Pawsctl) -> None:
    """This includes filters, orders and the overview of expiry."""
    assert len(quiet("session", "list", "--json").json) == SESSIONS
    broken = quiet("session", "list", "--problem", "--sort", "phone", "--json").json
    assert len(broken) == len(BROKEN) + 1
    result = quiet("session", "get", "+0", "--raw")
    assert (result.status, result.out) == (0, GOOD[0].read_bytes())
    assert quiet("session", "ttl", "+0", "--json").json["ttl"] > 0
    assert quiet("session", "ttl", "--json").json["sessions"] == SESSIONS


def test_stats_says_what_it_leaves_out(quiet: Pawsctl) -> None:
    """It leaves out only the figures that come from INFO and MEMORY USAGE."""
    found = quiet("session", "stats", "--json").json
    assert found["sessions"] == SESSIONS
    assert found["memory"] is found["evicted_keys"] is found["expired_keys"] is None
    assert ["INFO" in found["left_out"][0], "MEMORY USAGE" in found["left_out"][1]] == [True, True]
    result = quiet("session", "stats")
    assert result.status == ExitStatus.OK
    assert result.text.count("left out: ") == 2


def test_lint_leaves_nothing_out(quiet: Pawsctl) -> None:
    """It needs values and TTLs only."""
    found = quiet("session", "lint", "--json").json
    assert (found["checked"], found["broken"]) == (SESSIONS, len(BROKEN) + 1)


def test_watch_says_what_it_leaves_out(quiet: Pawsctl, any_server: Server) -> None:
    """Without CLIENT NO-TOUCH it relies on TTLs; a single conversation is followed as usual."""
    with following(quiet, "session", "watch", "--interval", "100ms", "--json") as watch:
        assert "Left out: writes that keep the TTL" in watch.said()
        any_server.client.set("wh:session:+99", GOOD[0].read_bytes(), ex=600)
        assert watch.event()["event"] == "appeared"
        any_server.client.set("wh:session:+99", GOOD[1].read_bytes(), ex=21_600)
        assert watch.event()["event"] == "changed"
        any_server.client.delete("wh:session:+99")
        assert watch.event()["event"] == "deleted"
    with following(quiet, "session", "watch", "+0", "--interval", "100ms", "--json") as watch:
        assert watch.event()["event"] == "message"


def test_what_changes_is_refused(quiet: Pawsctl) -> None:
    """Redis refuses it, and the error says so."""
    result = quiet("session", "flush", "--yes")
    assert result.status == ExitStatus.FAILED
    assert "NOPERM" in result.err
