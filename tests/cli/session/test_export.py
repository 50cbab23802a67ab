"""`pawsctl session export` as its users run it."""

import base64
import gzip
import json
import os
import signal
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pawsctl.errors import ExitStatus
from tests.cli_runner import Pawsctl
from tests.servers import Server, store_session


def lines_of(path: Path) -> list[Any]:
    """Return the lines of an archive, decoded."""
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def test_an_archive_is_what_the_readme_says(
    pawsctl: Pawsctl, server: Server, tmp_path: Path
) -> None:
    """Header, one line per session, trailer; data that is not text is base64."""
    server.client.set("wh:session:+1", '{"a":"ñ\\u0000"}\n', px=60_000)
    server.client.set(b"wh:session:\xff", b"\xfe")
    begun = time.time()
    exported = pawsctl("session", "export", "a.jsonl", "--json").json
    assert list(exported) == [
        *("url", "file", "sessions", "bytes", "checksum", "left_out", "masked")
    ]
    header, *entries, trailer = lines_of(tmp_path / "a.jsonl")
    assert header.pop("exported_at").endswith("Z")
    assert header == {"format": "pawsctl sessions", "version": 1, "source": server.url}
    assert trailer == {"count": 2, "checksum": exported["checksum"]}
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
    """The source is the URL without its password."""
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
    """This also holds if it replaces a file that everybody could read."""
    server.client.set("wh:session:+1", b"{}")
    (tmp_path / name).write_text("old")
    (tmp_path / name).chmod(0o644)
    assert pawsctl("session", "export", "--force", name).status == ExitStatus.OK
    assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == [name]


def test_a_gz_archive_is_the_same_compressed(
    pawsctl: Pawsctl, server: Server, tmp_path: Path
) -> None:
    """Import recognizes it by its content, not by its name."""
    server.client.set("wh:session:+1", b"{}")
    pawsctl("session", "export", "a.jsonl")
    pawsctl("session", "export", "a.jsonl.gz")
    unpacked = gzip.decompress((tmp_path / "a.jsonl.gz").read_bytes())
    assert unpacked.splitlines()[1] == (tmp_path / "a.jsonl").read_bytes().splitlines()[1]
    result = pawsctl(
        "session", "import", "-", "--json", stdin=(tmp_path / "a.jsonl.gz").read_bytes()
    )
    assert result.json["kept"] == 1


@pytest.mark.parametrize("name", ["a.jsonl.GZ", "b.Gz", ".gz"])
def test_gz_in_any_case_is_compressed(
    pawsctl: Pawsctl, server: Server, tmp_path: Path, name: str
) -> None:
    """It is read so, too."""
    server.client.set("wh:session:+1", b"{}")
    assert pawsctl("session", "export", name).status == ExitStatus.OK
    assert gzip.decompress((tmp_path / name).read_bytes()).startswith(b'{"format"')
    assert pawsctl("session", "import", name, "--json").json["kept"] == 1
    assert pawsctl("session", "verify", name, "--json").json["sessions"] == 1


@pytest.mark.parametrize(
    ("name", "ending", "instead"),
    [
        ("a.jsonl.zst", ".zst", "a.jsonl.gz"),
        ("a.XZ", ".XZ", "a.jsonl.gz"),
        ("a.bz2", ".bz2", "a.jsonl.gz"),
        ("a.zip", ".zip", "a.jsonl.gz"),
        ("a.lz4", ".lz4", "a.jsonl.gz"),
        ("a.br", ".br", "a.jsonl.gz"),
        ("a.7z", ".7z", "a.jsonl.gz"),
        ("a.Z", ".Z", "a.jsonl.gz"),
        ("a.tar", ".tar", "a.jsonl.gz"),
        ("a.tgz", ".tgz", "a.jsonl.gz"),
        ("a.tar.gz", ".tar.gz", "a.jsonl.gz"),
        ("a.zst.GZ", ".zst.GZ", "a.jsonl.gz"),
        ("a.gz.gz", ".gz.gz", "a.jsonl.gz"),
        (".zst", ".zst", "sessions.jsonl.gz"),
        ("two.parts.json.xz", ".xz", "two.parts.json.gz"),
    ],
)
def test_a_name_of_what_it_would_not_be_is_refused(
    bare_pawsctl: Pawsctl, tmp_path: Path, name: str, ending: str, instead: str
) -> None:
    """Before Redis is asked, and before a file is replaced."""
    (tmp_path / name).write_text("old")
    for options in ([], ["--force"]):
        refused = bare_pawsctl("session", "export", name, "--json", *options)
        assert refused.status == ExitStatus.USAGE
        assert refused.error["message"] == (
            f"{name} ends in {ending}, and an archive is plain JSON lines, or those in gzip."
        )
        assert f"Name it {instead}, or" in refused.error["hint"]
    assert (tmp_path / name).read_text() == "old"
    assert [each.name for each in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["zst", "a.zst.jsonl", "gz", "a.gz.old"])
def test_what_only_looks_like_such_a_name_is_plain(
    pawsctl: Pawsctl, server: Server, tmp_path: Path, name: str
) -> None:
    """Only the end of a name says that a file is compressed."""
    server.client.set("wh:session:+1", b"{}")
    assert pawsctl("session", "export", name).status == ExitStatus.OK
    assert (tmp_path / name).read_bytes().startswith(b'{"format"')


def test_keys_of_other_types_are_left_out_and_told(anywhere: Pawsctl, any_server: Server) -> None:
    """The archive contains sessions only."""
    any_server.client.set("wh:session:+1", b"{}")
    any_server.client.hset("wh:session:+2", mapping={"a": "b"})
    any_server.client.rpush("wh:session:+3", "a")
    result = anywhere("session", "export", "a.jsonl", "--json")
    assert result.status == ExitStatus.OK
    assert result.json["sessions"] == 1
    assert result.json["left_out"] == {"hash": 1, "list": 1}
    assert "1 key of type hash" in result.err


@contextmanager
def frozen(server: Server) -> Iterator[None]:
    """A server that accepts connections and answers nothing, so that no export ends."""
    server.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        server.process.send_signal(signal.SIGCONT)


def wait_for_part(folder: Path) -> None:
    """Wait until the unfinished file of an export exists."""
    deadline = time.monotonic() + 20
    while not any(each.suffix == ".part" for each in folder.iterdir()):
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
@pytest.mark.parametrize("old", [None, "what was there"])
def test_a_killed_export_leaves_nothing_under_its_name(
    pawsctl: Pawsctl, server: Server, tmp_path: Path, name: str, old: str | None
) -> None:
    """A file that was there before is unchanged."""
    if old:
        (tmp_path / name).write_text(old)
    with frozen(server):
        process = pawsctl.start("session", "export", name, "--force")
        wait_for_part(tmp_path)
        process.kill()
        process.communicate()
    assert (tmp_path / name).exists() == (old is not None)
    if old:
        assert (tmp_path / name).read_text() == old


def test_an_interrupted_export_leaves_nothing_at_all(
    pawsctl: Pawsctl, server: Server, tmp_path: Path
) -> None:
    """Ctrl-C: exit 130, and the unfinished file is deleted."""
    with frozen(server):
        process = pawsctl.start("session", "export", "a.jsonl")
        wait_for_part(tmp_path)
        process.send_signal(signal.SIGINT)
        process.communicate()
    assert process.returncode == ExitStatus.INTERRUPTED
    assert list(tmp_path.iterdir()) == []


def test_an_export_that_fails_leaves_nothing(bare_pawsctl: Pawsctl, tmp_path: Path) -> None:
    """No Redis, a folder that does not exist, a name that is no regular file."""
    nowhere = bare_pawsctl("session", "export", "a.jsonl", "--url", "redis://127.0.0.1:1")
    assert nowhere.status == ExitStatus.UNREACHABLE
    missing = bare_pawsctl("session", "export", "no/a.jsonl", "--json")
    assert missing.status == ExitStatus.FAILED
    assert "can't be written: No such file or directory" in missing.error["message"]
    device = bare_pawsctl("session", "export", "/dev/null")
    assert device.status == ExitStatus.USAGE
    assert Path("/dev/null").is_char_device()
    assert list(tmp_path.iterdir()) == []


def test_an_export_of_what_does_not_answer_prints_nothing(bare_pawsctl: Pawsctl) -> None:
    """Not even the first line, which would be the beginning of an archive in a shell's file."""
    result = bare_pawsctl("session", "export", "-", "--url", "redis://127.0.0.1:1")
    assert (result.status, result.out) == (ExitStatus.UNREACHABLE, b"")


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


def test_what_exists_is_not_written_over(pawsctl: Pawsctl, server: Server, tmp_path: Path) -> None:
    """After a flush, the same command would replace the good archive by an empty one."""
    server.client.set("wh:session:+1", b"{}")
    assert pawsctl("session", "export", "a.jsonl").status == ExitStatus.OK
    good = (tmp_path / "a.jsonl").read_bytes()
    (tmp_path / "link").symlink_to("a.jsonl")
    server.client.flushall()
    for name in ("a.jsonl", "link"):
        refused = pawsctl("session", "export", name, "--json")
        assert refused.status == ExitStatus.USAGE
        assert f"{name} exists already" in refused.error["message"]
        assert "--force" in refused.error["hint"]
    assert (tmp_path / "a.jsonl").read_bytes() == good
    forced = pawsctl("session", "export", "a.jsonl", "--force")
    assert forced.status == ExitStatus.OK
    assert "holds 0 sessions" in forced.err
    verified = pawsctl("session", "verify", "a.jsonl", "--json")
    assert verified.status == ExitStatus.OK
    assert verified.json["sessions"] == 0
    assert "holds 0 sessions" in verified.err


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/null", "fifo", "folder"])
def test_only_files_are_replaced(
    pawsctl: Pawsctl, server: Server, tmp_path: Path, name: str
) -> None:
    """This holds with and without --force; the hint says how to write to stdout."""
    server.client.set("wh:session:+1", b"{}")
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "folder").mkdir()
    for options in ([], ["--force"]):
        refused = pawsctl("session", "export", name, "--json", *options)
        assert refused.status == ExitStatus.USAGE
        assert f"{name} is no file" in refused.error["message"]
        assert "- for stdout" in refused.error["hint"]


def test_nor_what_came_there_meanwhile(pawsctl: Pawsctl, server: Server, tmp_path: Path) -> None:
    """Of two simultaneous exports to one name, one reports that it came too late."""
    server.client.set("wh:session:+1", b"{}")
    with frozen(server):
        process = pawsctl.start("session", "export", "a.jsonl", "--timeout", "30")
        wait_for_part(tmp_path)
        (tmp_path / "a.jsonl").write_text("came first")
    _, err = process.communicate(timeout=60)
    assert process.returncode == ExitStatus.USAGE
    assert b"exists already" in err
    assert (tmp_path / "a.jsonl").read_text() == "came first"
    assert [each.name for each in tmp_path.iterdir()] == ["a.jsonl"]


def test_any_time_that_redis_allows_is_kept(
    anywhere: Pawsctl, any_server: Server, tmp_path: Path
) -> None:
    """Up to the last moment of a 64-bit clock, even if the server's clock is ahead."""
    moments = [2**53 + 1, 2**62, 2**63 - 2, 2**63 - 1]
    for each in moments:
        any_server.client.set(f"wh:session:+{each}", "{}", pxat=each)
    assert anywhere("session", "export", "a.jsonl").status == ExitStatus.OK
    verified = anywhere("session", "verify", "a.jsonl")
    assert verified.status == ExitStatus.OK, verified.err
    any_server.client.flushall()
    assert anywhere("session", "import", "a.jsonl", "--json").json["imported"] == len(moments)
    for each in moments:
        kept = any_server.client.execute_command("PEXPIRETIME", f"wh:session:+{each}")
        assert abs(kept - each) < 5_000
    for command in ("list", "ttl", "stats", "lint", "get +9223372036854775807"):
        result = anywhere("session", *command.split())
        assert result.status in (ExitStatus.OK, ExitStatus.FAILED)
        assert "Traceback" not in result.err


def test_a_replica_without_its_primary_is_not_taken_for_the_whole(
    pawsctl: Pawsctl, server: Server
) -> None:
    """It has never been filled, or has what it had when it lost it."""
    whole = pawsctl("session", "export", "whole.jsonl")
    store_session(server, "+1", b"{}")
    server.client.replicaof("127.0.0.1", 1)
    try:
        told = [
            pawsctl("session", "export", "a.jsonl"),
            pawsctl("session", "list", "--match", "+2"),
            pawsctl("session", "get", "+2"),
            pawsctl("session", "lint"),
            pawsctl("session", "repair", "--all", "--yes"),
            pawsctl("session", "copy", "--all", "--to", f"{server.url}/1", "--dry-run"),
        ]
        diagnosis = pawsctl("doctor", "--json")
        tried = [
            pawsctl("session", *words, "--dry-run")
            for words in (("import", "a.jsonl"), ("repair", "--all"))
        ]
    finally:
        server.client.replicaof("NO", "ONE")
    assert "replica" not in whole.err
    for each in told:
        assert "is a replica that has lost its primary" in each.err, each
    (sessions,) = [each for each in diagnosis.json["findings"] if each["name"] == "sessions"]
    assert "1 of 1 have a problem" in sessions["detail"]
    assert "is a replica that has lost its primary" in sessions["detail"]
    # Nor is a dry run taken for a promise.
    for each in (*tried, told[-1]):
        assert "is a replica, which takes no writes" in each.err, each
