"""`pawsctl session flush` with filters deletes exactly the sessions that match."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from pawsctl.config.redis_url import parse
from pawsctl.connection import connect
from pawsctl.errors import ExitStatus
from pawsctl.sessions.edit import flush
from pawsctl.sessions.query.filters import Filter
from pawsctl.sessions.store.store import SessionStore
from tests import servers
from tests.cli_runner import Pawsctl
from tests.conftest import GOOD, SAMPLES
from tests.processes import wait_until
from tests.servers import Server, store_session

WAITING = (SAMPLES / "waiting.json").read_bytes()
GREETING = (SAMPLES / "greeting.json").read_bytes()


@pytest.fixture
def store(server: Server) -> Iterator[SessionStore]:
    """Yield the sessions of an empty server."""
    with SessionStore(connect(parse(server.url, origin="the test"))) as store:
        yield store


@pytest.fixture
def filled(any_server: Server, tmp_path: Path) -> Pawsctl:
    """pawsctl with 1,200 sessions of two kinds, a hash under the prefix and foreign keys."""
    pipe = any_server.client.pipeline(transaction=False)
    for number in range(1_200):
        value = WAITING if number % 2 else GREETING
        pipe.set(f"wh:session:+{number}", value, ex=600 if number < 100 else 7_200)
    pipe.hset("wh:session:+hash", "a", "b")
    pipe.set("wh:seen:x", "1")
    pipe.set("other", WAITING)
    pipe.execute()
    return Pawsctl(tmp_path, any_server.url)


@pytest.mark.parametrize(
    ("filters", "deleted"),
    [
        ([], 1_201),
        (["--waiting"], 600),
        (["--waiting", "--expiring-within", "30m"], 50),
        (["--match", "+11??"], 100),
        (["--match", "+11??", "--waiting"], 50),
        (["--problem"], 1),
        (["--grep", "there is no such text"], 0),
    ],
)
def test_a_flush_deletes_exactly_what_its_filters_let_through(
    filled: Pawsctl, any_server: Server, filters: list[str], deleted: int
) -> None:
    """Exactly the sessions that `list` shows with the same filters are deleted."""
    listed = filled("session", "list", *filters, "-o", "jsonl").text.splitlines()
    meant = {json.loads(line)["key"].encode() for line in listed}
    before = set(any_server.client.keys())
    plan = filled("session", "flush", *filters, "--dry-run", "--json").json
    assert plan["sessions"] + sum(plan["others"].values()) == len(meant) == deleted
    assert set(any_server.client.keys()) == before
    result = filled("session", "flush", *filters, "--yes", "--json")
    assert (result.status, result.json["deleted"]) == (0, deleted)
    assert set(any_server.client.keys()) == before - meant


def test_a_session_that_is_no_longer_meant_is_kept(server: Server, store: SessionStore) -> None:
    """The bot answered, or the user wrote, between the plan and the confirmation."""
    for phone in ("+1", "+2", "+3"):
        server.client.set(f"wh:session:{phone}", WAITING, ex=600)
    planned = flush.planned(store, Filter(waiting=True), include_seen=False)
    server.client.set("wh:session:+1", GREETING, ex=600)
    server.client.delete("wh:session:+2")
    server.client.set("wh:session:+4", WAITING, ex=600)
    flushed = flush.flush(store, planned, progress=lambda _count: None)
    assert flushed.deleted == 1
    assert set(server.client.keys()) == {b"wh:session:+1", b"wh:session:+4"}


def test_seen_marks_and_filters_do_not_mix(pawsctl: Pawsctl, server: Server) -> None:
    """Exit 2, and nothing is deleted."""
    server.client.set("wh:seen:x", "1")
    result = pawsctl("session", "flush", "--include-seen", "--waiting", "--yes")
    assert result.status == ExitStatus.USAGE
    assert server.client.exists("wh:seen:x")


@pytest.mark.slow
def test_a_replica_is_not_flushed(pawsctl: Pawsctl, server: Server, tmp_path: Path) -> None:
    """Exit 1 with Redis's own message; the hint is to use the primary's address."""
    server.client.set("wh:session:+1", WAITING, ex=600)
    following = ("--replicaof", "127.0.0.1", str(server.port))
    with servers.running(tmp_path, *following) as replica:
        wait_until(
            lambda: replica.client.info("replication")["master_link_status"] == "up", "a link"
        )
        result = pawsctl("session", "flush", "--yes", "--url", replica.url)
    assert result.status == ExitStatus.FAILED
    assert "READONLY" in result.err
    assert "use the primary's address" in result.err
    assert server.client.exists("wh:session:+1")


SIX_HOURS = 21_600


def test_flush_deletes_sessions_and_nothing_else(pawsctl: Pawsctl, server: Server) -> None:
    """Keys of another type under the prefix are deleted too and reported; others stay."""
    for number in range(1_200):
        store_session(server, f"+{number}", GOOD[0].read_bytes())
    server.client.hset("wh:session:+h", mapping={"a": "b"})
    server.client.set("wh:seen:abc", "1", ex=60)
    server.client.set("other:wh:session:+1", "1")
    dry = pawsctl("session", "flush", "--dry-run")
    assert "1200 sessions" in dry.text
    assert "1 key of type hash" in dry.text
    assert server.client.dbsize() == 1_203
    result = pawsctl("session", "flush", "--yes", "--json")
    assert (result.json["deleted"], result.json["others"]) == (1_201, {"hash": 1})
    assert set(server.client.keys()) == {b"wh:seen:abc", b"other:wh:session:+1"}
    assert pawsctl("session", "flush", "--yes", "--include-seen").status == ExitStatus.OK
    assert server.client.keys() == [b"other:wh:session:+1"]


@pytest.mark.parametrize("option", ["--grep", "--has-tool"])
def test_a_filter_of_nothing_deletes_nothing(pawsctl: Pawsctl, server: Server, option: str) -> None:
    """It is what a script passes whose variable is not set; every session would match."""
    store_session(server, "+1", GOOD[0].read_bytes())
    for value in ("", " "):
        result = pawsctl("session", "flush", "--yes", option, value)
        assert result.status == ExitStatus.USAGE
        assert "would match everything" in result.err
    assert server.client.dbsize() == 1


def test_flush_asks_and_shows_its_target(pawsctl: Pawsctl, server: Server) -> None:
    """Without a terminal: exit 3, and nothing is deleted."""
    store_session(server, "+1", b"{}")
    result = pawsctl("session", "flush")
    assert result.status == ExitStatus.NOT_CONFIRMED
    assert f"{server.url} (from REDIS_URL in the environment)" in result.err
    assert server.client.dbsize() == 1


def test_flush_of_a_remote_host_must_name_it(pawsctl: Pawsctl, server: Server) -> None:
    """0.0.0.0 reaches this machine but is no loopback name."""
    store_session(server, "+1", b"{}")
    url = f"redis://0.0.0.0:{server.port}"
    assert pawsctl("session", "flush", "--yes", "--url", url).status == ExitStatus.NOT_CONFIRMED
    wrong = pawsctl("session", "flush", "--yes", "--confirm", "localhost", "--url", url)
    assert wrong.status == ExitStatus.NOT_CONFIRMED
    assert server.client.dbsize() == 1
    right = pawsctl("session", "flush", "--yes", "--confirm", "0.0.0.0", "--url", url)
    assert right.status == ExitStatus.OK
    assert server.client.dbsize() == 0
