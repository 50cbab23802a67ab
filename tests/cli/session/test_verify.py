"""`pawsctl session verify` proves a backup by restoring it into a temporary server."""

import gzip
import json
import os
import signal
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pawsctl.config.redis_url import parse
from pawsctl.connection import connect
from pawsctl.errors import ExitStatus
from pawsctl.sessions.contract.saved import Saved
from pawsctl.sessions.store.store import SessionStore
from pawsctl.workflows import trial_restore
from tests.archives import HEADER, entry, write
from tests.cli_runner import Pawsctl
from tests.conftest import BROKEN, GOOD
from tests.embedded_servers import servers_below
from tests.servers import Server


def leftovers(folder: Path) -> list[str]:
    """Return the names of files that verification servers left in the temporary folder."""
    return [each.name for each in folder.iterdir()]


@pytest.fixture
def temporary() -> Iterator[Path]:
    """A folder for the temporary files of one test, with a name short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="pawsctl-test-") as name:
        yield Path(name)


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "-"])
def test_an_export_is_proved_without_touching_redis(
    pawsctl: Pawsctl, server: Server, temporary: Path, name: str
) -> None:
    """Every sample, and keys that never expire; the temporary server is gone afterwards."""
    for number, sample in enumerate([*GOOD, *BROKEN]):
        server.client.set(f"wh:session:+{number}", sample.read_bytes(), ex=600 + number)
    server.client.set(b"wh:session:\xff", b"\xff")
    exported = pawsctl("session", "export", name)
    server.client.flushall()
    result = pawsctl(
        "session",
        "verify",
        name,
        "--json",
        stdin=exported.out,
        env={"TMPDIR": str(temporary), "REDIS_URL": "redis://127.0.0.1:1"},
    )
    assert result.status == ExitStatus.OK
    told = result.json
    assert list(told) == [
        "file",
        "source",
        "exported_at",
        "sessions",
        "bytes",
        "checksum",
        "expired",
    ]
    assert told["sessions"] == len(GOOD) + len(BROKEN) + 1
    assert told["expired"] == 0
    assert told["source"] == server.url
    assert told["checksum"].startswith("sha256:")
    assert server.client.dbsize() == 0
    assert leftovers(temporary) == []


def test_an_old_archive_is_proved_whole(bare_pawsctl: Pawsctl, tmp_path: Path) -> None:
    """Sessions that expired since count too, though an import would skip them."""
    then = 1_767_225_600_000
    lines = [entry(f"+{number}", "{}", then + number) for number in range(1_200)]
    header = HEADER | {"exported_at": "2026-01-01T00:00:00Z"}
    write(tmp_path / "a.jsonl", [*lines, entry("+never", "{}")], header=header)
    result = bare_pawsctl("session", "verify", "a.jsonl")
    assert result.status == ExitStatus.OK
    assert "1201 sessions restored and compared" in result.text
    assert "would leave out 1200 of them" in result.text


def test_a_session_whose_time_was_over_when_it_was_exported_is_expired(
    bare_pawsctl: Pawsctl, tmp_path: Path
) -> None:
    """It is there, byte for byte, and only an import leaves it out."""
    early = [entry(f"+{number}", "v" * number, number) for number in range(3)]
    write(tmp_path / "a.jsonl", [*early, entry("+9", "alive")])
    told = bare_pawsctl("session", "verify", "a.jsonl", "--json")
    assert told.status == ExitStatus.OK, told.err
    assert (told.json["sessions"], told.json["expired"], told.json["bytes"]) == (4, 3, 8)


@pytest.mark.parametrize("between", [1, 3_000])
def test_a_key_that_stands_there_twice_can_not_be_restored(
    bare_pawsctl: Pawsctl, tmp_path: Path, between: int
) -> None:
    """Even if the lines are the same and far apart; an archive of pawsctl has none."""
    others = [entry(f"+9{number}", "{}") for number in range(between)]
    for value in ("one", "other"):
        write(tmp_path / "a.jsonl", [entry("+1", "one"), *others, entry("+1", value)])
        result = bare_pawsctl("session", "verify", "a.jsonl")
        assert result.status == ExitStatus.FAILED
        assert (
            f"Line {between + 3} can't be restored: the key 'wh:session:+1' stands in an earlier "
            "line." in result.err
        )


def test_sessions_that_need_a_look_of_their_own_are_no_differences(
    bare_pawsctl: Pawsctl, tmp_path: Path
) -> None:
    """An expiry long past, and a value of two megabytes, among many others."""
    then = 1_767_225_600_000
    lines = [entry(f"+{number}", '{"a":"🐶"}', then + number) for number in range(1_000)]
    lines[810] = entry("+past", "{}", then - 7_200_000)
    lines[811] = entry("+large", "x" * (2 << 20))
    lines[900] = entry("+soon", "{}", then)
    header = HEADER | {"exported_at": "2026-01-01T00:00:00Z"}
    write(tmp_path / "a.jsonl", lines, header=header)
    result = bare_pawsctl("session", "verify", "a.jsonl")
    assert result.status == ExitStatus.OK, result.err
    assert "1000 sessions restored and compared" in result.text


def test_what_a_server_changes_or_loses_is_a_difference(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One value is replaced, a key is gone, and two expire otherwise; the others are as written."""
    later = int(time.time() * 1000) + 3_600_000
    sessions = [Saved(b"wh:session:+%d" % number, b"{}", later) for number in range(8)]
    sessions.append(Saved(b"wh:session:+never", b"{}", None))
    with SessionStore(connect(parse(server.url, origin="the test"))) as store:
        trial = trial_restore.TrialRestore(store, datetime.now(UTC))
        assert list(trial.differences(sessions)) == []
        # An hour more, so that none expires meanwhile.
        assert abs(server.client.pexpiretime("wh:session:+7") - later - 3_600_000) < 600_000
        server.client.flushall()
        damage = (
            "redis.call('SET', KEYS[2], 'other') redis.call('UNLINK', KEYS[4]) "
            "redis.call('PEXPIRE', KEYS[9], 5000) ARGV[6] = ARGV[6] + 5000 "
        )
        script = f"{damage}\n{trial_restore._EXPIRE_SCRIPT}"
        monkeypatch.setattr(trial_restore, "_EXPIRE_SCRIPT", script)
        found = list(trial.differences(sessions))
    assert [each.split(" ", 2)[:2] for each in found] == [
        ["wh:session:+1", "has"],
        ["wh:session:+3", "is"],
        ["wh:session:+5", "has"],
        ["wh:session:+never", "has"],
    ]
    assert "another value" in found[0]
    assert "ms to live and should have" in found[2]
    assert "should have -1" in found[3]


def test_a_backup_with_keys_that_are_no_strings_is_proved(pawsctl: Pawsctl, server: Server) -> None:
    """They are restored as what they are; a dump that can't be read is named."""
    for name in ("never", "later"):
        server.client.hset(f"wh:session:+{name}", "field", "value")
    server.client.expire("wh:session:+later", 600)
    server.client.set("wh:session:+1", "{}", ex=600)
    keys = [f"wh:session:+{name}" for name in ("never", "later", "1")]
    assert pawsctl("session", "delete", *keys).status == ExitStatus.OK
    (backup,) = (pawsctl.folder / "state" / "pawsctl" / "undo.archives").iterdir()
    result = pawsctl("session", "verify", str(backup))
    assert result.status == ExitStatus.OK, result.err
    assert "3 sessions restored and compared" in result.text
    header, *lines, _ = map(json.loads, gzip.decompress(backup.read_bytes()).splitlines())
    for line in lines:
        if line["key"] == "wh:session:+later":
            line["dump_base64"] = "AAAA"
    write(pawsctl.folder / "a.jsonl", lines, header=header)
    result = pawsctl("session", "verify", "a.jsonl")
    assert result.status == ExitStatus.FAILED
    assert "wh:session:+later, a hash, can't be read by this server: ERR" in result.err
    assert "2 of 3 sessions came back" in result.err


def test_a_line_that_is_no_session_fails(
    bare_pawsctl: Pawsctl, tmp_path: Path, temporary: Path
) -> None:
    """The line is named, and nothing is left behind."""
    write(tmp_path / "a.jsonl", [entry("+1", "{}"), "nonsense"])
    result = bare_pawsctl("session", "verify", "a.jsonl", "--json", env={"TMPDIR": str(temporary)})
    assert result.status == ExitStatus.FAILED
    assert "Line 3 can't be restored" in result.error["message"]
    assert leftovers(temporary) == []


def test_a_damaged_archive_fails_before_a_server_is_started(
    bare_pawsctl: Pawsctl, tmp_path: Path
) -> None:
    """It fails like an import of it; one without any line is not said to begin wrongly."""
    path = write(tmp_path / "a.jsonl", [entry("+1", "{}")])
    whole = path.read_bytes()
    for content, what in (
        (whole[:-5], "is cut short"),
        (whole + b"\n", "or was added to"),
        (b"", "is empty"),
        (b"a" * 100_000, "its first line is not the header"),
        (whole.replace(b'"version": 1', b'"version": 0'), "use the one that wrote it"),
    ):
        path.write_bytes(content)
        result = bare_pawsctl("session", "verify", "a.jsonl")
        assert result.status == ExitStatus.FAILED
        assert what in result.err


def test_a_deep_folder_for_temporary_files_is_no_obstacle(
    bare_pawsctl: Pawsctl, tmp_path: Path, temporary: Path
) -> None:
    """The path of a socket is limited to about a hundred bytes."""
    deep = temporary / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)
    write(tmp_path / "a.jsonl", [entry("+1", "{}")])
    result = bare_pawsctl("session", "verify", "a.jsonl", env={"TMPDIR": str(deep)})
    assert result.status == ExitStatus.OK
    assert leftovers(deep) == []


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_its_server_ends_however_pawsctl_ends(
    bare_pawsctl: Pawsctl, tmp_path: Path, temporary: Path, how: signal.Signals
) -> None:
    """Its folder is deleted, too."""
    value = os.urandom(2_000).hex()
    write(tmp_path / "a.jsonl", [entry(f"+{number}", value) for number in range(15_000)])
    process = bare_pawsctl.start("session", "verify", "a.jsonl", env={"TMPDIR": str(temporary)})
    deadline = time.monotonic() + 20
    try:
        while not servers_below(temporary):
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.005)
        process.send_signal(how)
        process.communicate(timeout=20)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode != 0
    while servers_below(temporary) or leftovers(temporary):
        assert time.monotonic() < deadline
        time.sleep(0.01)
