"""`pawsctl session import` as its users run it."""

import gzip
import os
import time
from pathlib import Path

import pytest

from pawsctl.errors import ExitStatus
from tests import clusters
from tests.archives import assert_same, entry, held, write
from tests.cli_runner import Pawsctl
from tests.servers import Server

SIX_HOURS = 21_600


def test_import_keeps_what_exists_and_its_ttl(anywhere: Pawsctl, any_server: Server) -> None:
    """Only --replace overwrites it."""
    any_server.client.set("wh:session:+1", b"old", ex=SIX_HOURS)
    any_server.client.set("wh:session:+2", b"old", ex=SIX_HOURS)
    anywhere("session", "export", "a.jsonl")
    any_server.client.set("wh:session:+1", b"new", ex=100)
    any_server.client.delete("wh:session:+2")
    kept = anywhere("session", "import", "a.jsonl", "--json").json
    assert (kept["imported"], kept["kept"]) == (1, 1)
    assert any_server.client.get("wh:session:+1") == b"new"
    assert 0 < any_server.client.ttl("wh:session:+1") <= 100
    replaced = anywhere("session", "import", "a.jsonl", "--replace", "--json").json
    assert (replaced["imported"], replaced["kept"]) == (2, 0)
    assert any_server.client.get("wh:session:+1") == b"old"
    assert any_server.client.ttl("wh:session:+1") > 100


def test_import_leaves_out_what_has_expired(
    anywhere: Pawsctl, any_server: Server, tmp_path: Path
) -> None:
    """Redis would delete an existing key if it were given a past expiry."""
    past = int(time.time() * 1000) - 1
    write(tmp_path / "a.jsonl", [entry("+1", "old", past), entry("+2", "old", past)])
    any_server.client.set("wh:session:+1", b"new")
    for option in ([], ["--replace"]):
        result = anywhere("session", "import", "a.jsonl", "--json", *option).json
        assert (result["imported"], result["kept"], result["expired"]) == (0, 0, 2)
    assert any_server.client.keys() == [b"wh:session:+1"]
    assert any_server.client.get("wh:session:+1") == b"new"


def test_a_dry_run_tells_and_changes_nothing(
    anywhere: Pawsctl, any_server: Server, tmp_path: Path
) -> None:
    """This holds with --replace, too."""
    past = int(time.time() * 1000) - 1
    lines = [entry("+1", "old"), entry("+2", "old"), entry("+3", "old", past)]
    write(tmp_path / "a.jsonl", lines)
    any_server.client.set("wh:session:+1", b"new", ex=100)
    result = anywhere("session", "import", "a.jsonl", "--dry-run", "--json").json
    told = ("dry_run", "imported", "kept", "expired")
    assert [result[name] for name in told] == [True, 1, 1, 1]
    result = anywhere("session", "import", "a.jsonl", "--dry-run", "--replace", "--json").json
    assert [result[name] for name in told] == [True, 2, 0, 1]
    assert held(any_server).keys() == {b"wh:session:+1"}
    assert any_server.client.get("wh:session:+1") == b"new"


def test_lines_that_are_no_session_are_rejected_and_told(
    pawsctl: Pawsctl, server: Server, tmp_path: Path
) -> None:
    """The others are imported; exit 1. Only the first few are listed one by one."""
    lines = [
        entry("+1", "{}"),
        "not json",
        {"phone": "+2", "key": "other:+2", "expires_at": None, "value": "{}"},
        {"phone": "+3", "key": "wh:session:+3", "expires_at": None},
        entry("+4", "{}", value_base64="e30="),
        {"phone": "+5", "key": "wh:session:+5", "expires_at": None, "value_base64": "?"},
        entry("+6", "{}", -1),
        entry("+7", "{}", 2**63),
        "",
        entry("+8", "{}"),
    ]
    write(tmp_path / "a.jsonl", lines)
    result = pawsctl("session", "import", "a.jsonl", "--json")
    assert result.status == ExitStatus.FAILED
    assert result.error["code"] == "failed"
    assert (result.json["imported"], result.json["rejected"]) == (2, 8)
    reasons = {each["line"]: each["reason"] for each in result.json["reasons"]}
    assert list(reasons) == [3, 4, 5, 6, 7]
    assert "does not begin with wh:session:" in reasons[4]
    assert set(held(server)) == {b"wh:session:+1", b"wh:session:+8"}
    text = pawsctl("session", "import", "a.jsonl").text
    assert "! line 3: " in text
    assert "! and 3 more" in text


def leave_room(server: Server, policy: str, room: int) -> None:
    """Set the limit to `room` bytes more than used now, and set the eviction policy."""
    server.client.config_set("maxmemory-policy", policy)
    server.client.config_set("maxmemory", server.client.info("memory")["used_memory"] + room)


@pytest.mark.slow
def test_import_into_a_full_redis_tells_how_far_it_got(
    anywhere: Pawsctl, any_server: Server
) -> None:
    """Exit 1; all sessions reported as imported are stored whole, and the old ones are kept."""
    client = any_server.client
    with client.pipeline(transaction=False) as pipe:
        for number in range(4_000):
            pipe.set(f"wh:session:+{number}", os.urandom(500).hex(), ex=SIX_HOURS)
        pipe.execute()
    before = held(any_server)
    anywhere("session", "export", "a.jsonl")
    any_server.empty()
    client.set("wh:session:+0", b"mine")
    leave_room(any_server, "noeviction", 1_500_000)
    try:
        for option in ([], ["--replace"]):
            result = anywhere("session", "import", "a.jsonl", "--json", *option)
            assert result.status == ExitStatus.FAILED
            assert result.out == b""
            assert "OOM" in result.error["message"]
            there = held(any_server)
            assert 0 < len(there) < 4_000
            assert there[b"wh:session:+0"].value in (b"mine", before[b"wh:session:+0"].value)
            for key, each in there.items():
                if key != b"wh:session:+0":
                    assert_same({key: before[key]}, {key: each})
            if not option:
                assert f"{len(there) - 1} imported, " in result.error["message"]
    finally:
        client.config_set("maxmemory", 0)
    client.set("wh:session:+0", b"mine")
    rest = anywhere("session", "import", "a.jsonl", "--json")
    assert rest.json["kept"] == len(there)
    assert rest.json["imported"] == 4_000 - len(there)
    assert client.get("wh:session:+0") == b"mine"


def test_an_empty_line_is_rejected_with_its_number(
    anywhere: Pawsctl, any_server: Server, tmp_path: Path
) -> None:
    """The trailer counts it as a session."""
    write(tmp_path / "a.jsonl", [entry("+1", "one"), "", entry("+2", "two")])

    result = anywhere("session", "import", "a.jsonl", "--json")

    assert result.status == ExitStatus.FAILED
    assert (result.json["imported"], result.json["rejected"]) == (2, 1)
    assert result.json["reasons"][0]["line"] == 3
    assert "Rejected 1 line of a.jsonl." in result.err


@pytest.mark.parametrize("between", [1, 3_000])
def test_a_key_that_stands_in_two_lines_is_imported_once(
    pawsctl: Pawsctl, server: Server, tmp_path: Path, between: int
) -> None:
    """As in archives that were joined by hand: its first line counts, also for a dry run."""
    later = int(time.time() * 1000) + 600_000
    others = [entry(f"+9{number}", "{}", later) for number in range(between)]
    lines = [entry("+1", "first", later), *others, entry("+1", "last", later)]
    write(tmp_path / "a.jsonl", lines)
    for words in (("--dry-run",), (), ("--dry-run",), ("--replace",), ("--replace", "--no-backup")):
        is_there = server.client.dbsize() == between + 1
        told = pawsctl("session", "import", "a.jsonl", *words, "--json")
        assert told.status == ExitStatus.FAILED, words
        assert "Rejected 1 line of a.jsonl." in told.err
        counts = {each: told.json[each] for each in ("imported", "kept", "rejected")}
        kept = between + 1 if is_there and "--replace" not in words else 0
        assert counts == {"imported": between + 1 - kept, "kept": kept, "rejected": 1}, words
        (reason,) = told.json["reasons"]
        assert reason == {
            "line": between + 3,
            "reason": "the key 'wh:session:+1' stands in an earlier line",
        }
        assert server.client.get("wh:session:+1") in (b"first", None)
        if words == ("--replace",):
            assert f"Kept {between + 1} keys" in told.err
    assert server.client.dbsize() == between + 1


def test_two_archives_in_one_file_are_told(
    anywhere: Pawsctl, any_server: Server, tmp_path: Path
) -> None:
    """As `cat a.jsonl.gz b.jsonl.gz` makes it."""
    one = write(tmp_path / "a.jsonl", [entry("+1", "one")]).read_bytes()
    (tmp_path / "both.jsonl.gz").write_bytes(gzip.compress(one) + gzip.compress(one))

    result = anywhere("session", "import", "both.jsonl.gz")

    assert result.status == ExitStatus.FAILED
    assert "as where two archives were joined" in result.err
    assert any_server.client.dbsize() == 0


def test_import_tells_what_redis_evicted_meanwhile(
    anywhere: Pawsctl, any_server: Server, tmp_path: Path
) -> None:
    """A full Redis that evicts accepts every session and drops others."""
    client = any_server.client
    entries = [entry(f"+{number}", os.urandom(500).hex()) for number in range(12_000)]
    write(tmp_path / "a.jsonl", entries)
    try:
        for _ in range(5):
            client.config_set("maxmemory", 0)
            any_server.empty()
            # Far more than the batches in transit, which can't be evicted; less than the sessions.
            leave_room(any_server, "allkeys-lru", 8_000_000)
            result = anywhere("session", "import", "a.jsonl", "--json")
            # Now and then the server itself refuses when it begins to evict.
            if "OOM" not in result.err:
                break
        assert result.status == ExitStatus.FAILED, result.err
        assert "sessions may be missing" in result.err
        assert result.json["imported"] == 12_000
        # The connection that asks may have one more key evicted.
        evicted, gone = result.json["evicted"], 12_000 - client.dbsize()
        assert 0 < evicted <= gone <= evicted + 10
    finally:
        client.config_set("maxmemory", 0)
        client.config_set("maxmemory-policy", "noeviction")


def test_a_remote_session_is_only_replaced_where_its_host_is_named(
    pawsctl: Pawsctl, server: Server, tmp_path: Path
) -> None:
    """0.0.0.0 reaches this machine but is no loopback name."""
    write(tmp_path / "a.jsonl", [entry("+1", "new")])
    server.client.set("wh:session:+1", b"old")
    url = ("--url", f"redis://0.0.0.0:{server.port}")
    refused = pawsctl("session", "import", "a.jsonl", "--replace", *url)
    assert refused.status == ExitStatus.NOT_CONFIRMED
    assert server.client.get("wh:session:+1") == b"old"
    assert pawsctl("session", "import", "a.jsonl", *url).status == ExitStatus.OK
    named = pawsctl("session", "import", "a.jsonl", "--replace", "--confirm", "0.0.0.0", *url)
    assert named.status == ExitStatus.OK
    assert server.client.get("wh:session:+1") == b"new"


def test_nothing_is_written_to_a_server_that_has_not_answered(
    pawsctl: Pawsctl, server: Server, tmp_path: Path
) -> None:
    """One that hangs would do it when it wakes up; exit 5, and nothing is in doubt."""
    server.client.set("wh:session:+1", b"{}", ex=600)
    assert pawsctl("session", "export", "a.jsonl").status == ExitStatus.OK
    with clusters.swallowing() as port:
        hung = Pawsctl(tmp_path, f"redis://127.0.0.1:{port}")
        result = hung("session", "import", str(pawsctl.folder / "a.jsonl"), "--timeout", "0.5")
    assert result.status == ExitStatus.UNREACHABLE
    assert "did not answer in time" in result.err
    assert "No one knows" not in result.err
