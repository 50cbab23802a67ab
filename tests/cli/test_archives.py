"""`pawsctl session export` and `session import` as their users run them."""

import base64
import gzip
import json
import os
import signal
import stat
import time
from pathlib import Path
from typing import Any

import pytest

from pawsctl.errors import ExitStatus
from tests.archives import HEADER, assert_same, entry, held, write
from tests.cli_runner import Pawsctl
from tests.conftest import BROKEN, GOOD
from tests.servers import Server

SIX_HOURS = 21_600


@pytest.fixture
def anywhere(any_server: Server, tmp_path: Path) -> Pawsctl:
    """pawsctl with REDIS_URL naming an empty Valkey, then an empty Redis."""
    return Pawsctl(tmp_path, any_server.url)


def fill(server: Server) -> None:
    """Every sample under a phone of its own, keys and values that are no text, and no TTL."""
    for number, sample in enumerate([*GOOD, *BROKEN]):
        server.client.set(f"wh:session:+{number}", sample.read_bytes(), px=60_000 + number * 7_777)
    server.client.set("wh:session:+forever", b"{}")
    server.client.set(b"wh:session:\xff\x00\n", bytes(range(256)), ex=SIX_HOURS)
    server.client.set("wh:session:ñandú\u202e", "", ex=SIX_HOURS)


def lines_of(path: Path) -> list[Any]:
    """The lines of an archive, decoded."""
    return [json.loads(line) for line in path.read_bytes().splitlines()]


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_export_flush_import_brings_back_every_byte_and_ttl(
    anywhere: Pawsctl, any_server: Server, tmp_path: Path, name: str
) -> None:
    """Broken values, binary ones, strange keys, and sessions that never expire included."""
    fill(any_server)
    before = held(any_server)
    exported = anywhere("session", "export", name, "--json")
    assert exported.status == ExitStatus.OK
    assert exported.json["sessions"] == len(before)
    assert exported.json["file"] == str(tmp_path / name)
    assert anywhere("session", "flush", "--yes").status == ExitStatus.OK
    imported = anywhere("session", "import", name, "--json")
    assert imported.status == ExitStatus.OK
    assert imported.json == {
        "url": any_server.url,
        "file": name,
        "dry_run": False,
        "imported": len(before),
        "kept": 0,
        "expired": 0,
        "rejected": 0,
        "reasons": [],
        "evicted": 0,
    }
    assert_same(before, held(any_server))


def test_an_archive_is_what_the_readme_says(
    pawsctl: Pawsctl, server: Server, tmp_path: Path
) -> None:
    """Header, a line per session, trailer; what is no text stands in base64."""
    server.client.set("wh:session:+1", '{"a":"ñ\\u0000"}\n', px=60_000)
    server.client.set(b"wh:session:\xff", b"\xfe")
    begun = time.time()
    pawsctl("session", "export", "a.jsonl", "--url", server.url)
    header, *entries, trailer = lines_of(tmp_path / "a.jsonl")
    assert header.pop("exported_at").endswith("Z")
    assert header == {"format": "pawsctl sessions", "version": 1, "source": server.url}
    assert trailer["count"] == 2
    binary, text = sorted(entries, key=lambda each: str(each["phone"]), reverse=True)
    assert abs(text.pop("expires_at") / 1000 - begun - 60) < 5
    assert text == {"phone": "+1", "key": "wh:session:+1", "value": '{"a":"ñ\\u0000"}\n'}
    assert binary == {
        "phone": "\\xff",
        "key": "wh:session:\\xff",
        "expires_at": None,
        "value_base64": base64.b64encode(b"\xfe").decode(),
        "key_base64": base64.b64encode(b"wh:session:\xff").decode(),
    }


def test_an_archive_names_no_password(tmp_path: Path, server: Server) -> None:
    """The source is the URL without it."""
    server.client.config_set("requirepass", "hush-hush")
    try:
        url = server.url.replace("//", "//:hush-hush@")
        Pawsctl(tmp_path, url)("session", "export", "a.jsonl")
    finally:
        server.client.config_set("requirepass", "")
    written = (tmp_path / "a.jsonl").read_bytes()
    assert server.url.encode() in written
    assert b"hush" not in written


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_only_its_owner_may_read_an_archive(
    pawsctl: Pawsctl, server: Server, tmp_path: Path, name: str
) -> None:
    """Also where a file that everybody could read is replaced."""
    server.client.set("wh:session:+1", b"{}")
    (tmp_path / name).write_text("old")
    (tmp_path / name).chmod(0o644)
    assert pawsctl("session", "export", name).status == ExitStatus.OK
    assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == [name]


def test_a_gz_archive_is_the_same_compressed(
    pawsctl: Pawsctl, server: Server, tmp_path: Path
) -> None:
    """And import goes by the content, not by the name."""
    server.client.set("wh:session:+1", b"{}")
    pawsctl("session", "export", "a.jsonl")
    pawsctl("session", "export", "a.jsonl.gz")
    unpacked = gzip.decompress((tmp_path / "a.jsonl.gz").read_bytes())
    assert unpacked.splitlines()[1] == (tmp_path / "a.jsonl").read_bytes().splitlines()[1]
    result = pawsctl(
        "session", "import", "-", "--json", stdin=(tmp_path / "a.jsonl.gz").read_bytes()
    )
    assert result.json["kept"] == 1


def test_an_archive_goes_through_pipes(anywhere: Pawsctl, any_server: Server) -> None:
    """Dashes for stdout and stdin; what is said of it is said on stderr."""
    fill(any_server)
    before = held(any_server)
    exported = anywhere("session", "export", "-", "--json")
    assert exported.status == ExitStatus.OK
    assert f"Exported {len(before)} sessions" in exported.err
    assert len(exported.out.splitlines()) == len(before) + 2
    anywhere("session", "flush", "--yes")
    imported = anywhere("session", "import", "-", stdin=exported.out)
    assert f"Imported {len(before)} sessions" in imported.text
    assert_same(before, held(any_server))


def test_keys_of_other_types_are_left_out_and_told(anywhere: Pawsctl, any_server: Server) -> None:
    """The archive holds what is a session."""
    any_server.client.set("wh:session:+1", b"{}")
    any_server.client.hset("wh:session:+2", mapping={"a": "b"})
    any_server.client.rpush("wh:session:+3", "a")
    result = anywhere("session", "export", "a.jsonl", "--json")
    assert result.status == ExitStatus.OK
    assert result.json["sessions"] == 1
    assert result.json["left_out"] == {"hash": 1, "list": 1}
    assert "1 key of type hash" in result.err


def test_import_keeps_what_exists_and_its_ttl(anywhere: Pawsctl, any_server: Server) -> None:
    """Unless --replace says otherwise."""
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
    """Redis would take a past moment for a deletion of what lives now."""
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
    """With --replace, too."""
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
    """The others are imported; exit 1. Only the first few are told one by one."""
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


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
@pytest.mark.parametrize("piped", [False, True], ids=["file", "stdin"])
def test_a_truncated_archive_changes_nothing(
    pawsctl: Pawsctl, server: Server, tmp_path: Path, name: str, piped: bool
) -> None:
    """Wherever it was cut."""
    fill(server)
    pawsctl("session", "export", name)
    server.client.flushall()
    whole = (tmp_path / name).read_bytes()
    last = whole.rstrip(b"\n").rfind(b"\n") + 1 if name == "a.jsonl" else len(whole) - 9
    for size in (0, 1, 40, len(whole) // 2, last, len(whole) - 3):
        (tmp_path / name).write_bytes(whole[:size])
        if piped:
            result = pawsctl("session", "import", "-", "--json", stdin=whole[:size])
        else:
            result = pawsctl("session", "import", name, "--json")
        assert result.status == ExitStatus.FAILED, size
        assert result.out == b""
        assert "archive" in result.error["message"] + result.error["hint"]
        assert server.client.dbsize() == 0


def test_a_tampered_archive_changes_nothing(
    pawsctl: Pawsctl, server: Server, tmp_path: Path
) -> None:
    """A byte that differs, a line less or more, another header, something behind the trailer."""
    for number in range(3):
        server.client.set(f"wh:session:+{number}", b"value")
    pawsctl("session", "export", "a.jsonl")
    server.client.flushall()
    whole = (tmp_path / "a.jsonl").read_bytes()
    lines = whole.splitlines(keepends=True)
    tampered = [
        whole.replace(b'value"}', b'VALUE"}', 1),
        whole.replace(server.url.encode(), b"redis://elsewhere"),
        b"".join([*lines[:2], *lines[3:]]),
        b"".join([*lines[:2], lines[1], *lines[2:]]),
        b"".join([lines[0], lines[2], lines[1], *lines[3:]]),
        whole + lines[1],
        whole.replace(b"\n", b"\r\n"),
        whole.replace(b'"count":3', b'"count":4'),
        b"".join(lines[1:]),
    ]
    for content in tampered:
        assert content != whole
        (tmp_path / "b.jsonl").write_bytes(content)
        result = pawsctl("session", "import", "b.jsonl", "--json")
        assert result.status == ExitStatus.FAILED, content
        assert server.client.dbsize() == 0


def test_what_is_no_archive_is_told_from_a_newer_one(
    pawsctl: Pawsctl, server: Server, tmp_path: Path
) -> None:
    """The next step differs."""
    (tmp_path / "a.jsonl").write_text('{"a":1}\n{"b":2}\n')
    assert "is no archive of sessions" in pawsctl("session", "import", "a.jsonl").err
    write(tmp_path / "b.jsonl", [], header=HEADER | {"version": 2})
    assert "use a newer one" in pawsctl("session", "import", "b.jsonl").err
    missing = pawsctl("session", "import", "c.jsonl")
    assert missing.status == ExitStatus.USAGE
    assert "c.jsonl can't be read: No such file or directory" in missing.err
    assert server.client.dbsize() == 0


def test_an_archive_of_nothing_is_an_archive(pawsctl: Pawsctl, server: Server) -> None:
    """Nothing stored, nothing imported, nothing wrong."""
    assert pawsctl("session", "export", "a.jsonl", "--json").json["sessions"] == 0
    assert pawsctl("session", "import", "a.jsonl", "--json").json["imported"] == 0
    assert server.client.dbsize() == 0


def test_lines_longer_than_a_block_survive(pawsctl: Pawsctl, server: Server) -> None:
    """Archives are read in blocks of a megabyte."""
    for number in range(5):
        server.client.set(f"wh:session:+{number}", os.urandom(16).hex() * 70_000)
    before = held(server)
    pawsctl("session", "export", "a.jsonl")
    server.client.flushall()
    assert pawsctl("session", "import", "a.jsonl").status == ExitStatus.OK
    assert_same(before, held(server))


def wait_for_part(folder: Path) -> None:
    """Return when the file that an export is being written to is there."""
    deadline = time.monotonic() + 20
    while not any(each.suffix == ".part" for each in folder.iterdir()):
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
@pytest.mark.parametrize("old", [None, "what was there"])
def test_a_killed_export_leaves_nothing_under_its_name(
    pawsctl: Pawsctl, server: Server, tmp_path: Path, name: str, old: str | None
) -> None:
    """What stood there before still stands there."""
    if old:
        (tmp_path / name).write_text(old)
    server.client.client_pause(4_000)
    process = pawsctl.start("session", "export", name)
    wait_for_part(tmp_path)
    process.kill()
    process.communicate()
    server.client.client_unpause()
    assert (tmp_path / name).exists() == (old is not None)
    if old:
        assert (tmp_path / name).read_text() == old


def test_an_interrupted_export_leaves_nothing_at_all(
    pawsctl: Pawsctl, server: Server, tmp_path: Path
) -> None:
    """Ctrl-C: exit 130, and the unfinished file is gone."""
    server.client.client_pause(4_000)
    process = pawsctl.start("session", "export", "a.jsonl")
    wait_for_part(tmp_path)
    process.send_signal(signal.SIGINT)
    process.communicate()
    server.client.client_unpause()
    assert process.returncode == ExitStatus.INTERRUPTED
    assert list(tmp_path.iterdir()) == []


def test_an_export_that_fails_leaves_nothing(bare_pawsctl: Pawsctl, tmp_path: Path) -> None:
    """No Redis, a folder that is not there, a name that is no file."""
    nowhere = bare_pawsctl("session", "export", "a.jsonl", "--url", "redis://127.0.0.1:1")
    assert nowhere.status == ExitStatus.UNREACHABLE
    missing = bare_pawsctl("session", "export", "no/a.jsonl", "--json")
    assert missing.status == ExitStatus.FAILED
    assert "can't be written: No such file or directory" in missing.error["message"]
    device = bare_pawsctl("session", "export", "/dev/null")
    assert device.status == ExitStatus.USAGE
    assert Path("/dev/null").is_char_device()
    assert list(tmp_path.iterdir()) == []


def test_an_export_follows_a_link_to_its_file(
    pawsctl: Pawsctl, server: Server, tmp_path: Path
) -> None:
    """The link stays a link."""
    server.client.set("wh:session:+1", b"{}")
    (tmp_path / "real").mkdir()
    (tmp_path / "a.jsonl").symlink_to(tmp_path / "real" / "b.jsonl")
    assert pawsctl("session", "export", "a.jsonl").status == ExitStatus.OK
    assert (tmp_path / "a.jsonl").is_symlink()
    assert len(lines_of(tmp_path / "real" / "b.jsonl")) == 3


def test_import_into_a_full_redis_tells_how_far_it_got(
    anywhere: Pawsctl, any_server: Server
) -> None:
    """Exit 1; what was told as imported is there, whole, and what was there before still is."""
    client = any_server.client
    for number in range(4_000):
        client.set(f"wh:session:+{number}", os.urandom(500).hex(), ex=SIX_HOURS)
    before = held(any_server)
    anywhere("session", "export", "a.jsonl")
    client.flushall()
    client.set("wh:session:+0", b"mine")
    client.config_set("maxmemory-policy", "noeviction")
    client.config_set("maxmemory", client.info("memory")["used_memory"] + 1_500_000)
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


def test_import_tells_what_redis_evicted_meanwhile(anywhere: Pawsctl, any_server: Server) -> None:
    """A Redis that is full and evicts takes every session, and loses others."""
    client = any_server.client
    for number in range(4_000):
        client.set(f"wh:session:+{number}", os.urandom(500).hex(), ex=SIX_HOURS)
    anywhere("session", "export", "a.jsonl")
    client.flushall()
    client.config_set("maxmemory-policy", "allkeys-lru")
    client.config_set("maxmemory", client.info("memory")["used_memory"] + 1_500_000)
    try:
        result = anywhere("session", "import", "a.jsonl", "--json").json
        assert result["imported"] == 4_000
        assert result["evicted"] == 4_000 - client.dbsize() > 0
    finally:
        client.config_set("maxmemory", 0)
        client.config_set("maxmemory-policy", "noeviction")


def test_a_remote_session_is_only_replaced_where_its_host_is_named(
    pawsctl: Pawsctl, server: Server, tmp_path: Path
) -> None:
    """0.0.0.0 reaches this machine and is no loopback name."""
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
