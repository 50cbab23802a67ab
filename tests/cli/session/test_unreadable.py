"""Files and a stdin whose reading fails midway, as on a disk that is about to go."""

import gzip
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pawsctl.config.redis_url import parse
from pawsctl.connection import connect
from pawsctl.errors import ExitStatus, OperationFailed
from pawsctl.sessions.archive import read
from pawsctl.sessions.archive.restore import How, restore
from pawsctl.sessions.store.store import SessionStore
from tests import archives
from tests.cli_runner import Pawsctl
from tests.servers import Server

# It can be opened by its process, and reading its first bytes is an input/output error.
FAILING = Path("/proc/self/mem")

pytestmark = pytest.mark.skipif(not FAILING.exists(), reason="needs /proc/self/mem")


@pytest.mark.parametrize("command", ["import", "verify"])
def test_an_archive_that_fails_midway_is_named(pawsctl: Pawsctl, command: str) -> None:
    """It is not stdout that fails."""
    failed = pawsctl("session", command, str(FAILING))
    assert failed.status == ExitStatus.FAILED
    assert failed.err.startswith("error: /proc/self/mem can't be read: Input/output error.")
    assert "stdout" not in failed.err


def test_a_backup_that_fails_midway_is_listed_and_stops_no_command(
    pawsctl: Pawsctl, server: Server
) -> None:
    """Commands that look for backups whose time is up go on."""
    server.client.set("wh:session:+1", "{}", ex=500)
    server.client.set("wh:session:+2", "{}", ex=500)
    assert pawsctl("session", "delete", "+1").status == ExitStatus.OK
    (whole,) = Path(pawsctl.environment["XDG_STATE_HOME"]).rglob("*.jsonl.gz")
    name = "20260101T000000000000Z-flush"
    whole.with_name(f"{name}.jsonl.gz").symlink_to(FAILING)
    listed = pawsctl("backup", "list", "--json")
    assert listed.status == ExitStatus.OK, listed.err
    problems = {each["name"]: each["problem"] for each in listed.json}
    assert len(problems) == 2
    assert "can't be read: Input/output error" in problems[name]
    assert pawsctl("session", "delete", "+2").status == ExitStatus.OK
    assert server.client.keys("wh:*") == []


@pytest.mark.parametrize("words", [("ttl", "-"), ("import", "-")])
def test_a_stdin_that_fails_is_named(pawsctl: Pawsctl, words: tuple[str, ...]) -> None:
    """So is the archive on it."""
    with FAILING.open("rb") as stdin:
        failed = subprocess.run(
            [sys.executable, "-m", "pawsctl", "session", *words],
            stdin=stdin,
            capture_output=True,
            env=pawsctl.environment,
            cwd=pawsctl.folder,
            check=False,
        )
    assert failed.returncode in (ExitStatus.FAILED, ExitStatus.USAGE)
    assert b"stdin can't be read: Input/output error" in failed.stderr


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_an_archive_that_is_changed_while_it_is_read_is_no_success(
    server: Server, tmp_path: Path, name: str
) -> None:
    """The check before the import still found it whole; the failure tells what was imported."""
    lines = [archives.entry(f"+{number}", os.urandom(300).hex()) for number in range(1_500)]
    path = archives.write(tmp_path / "a.jsonl", lines)
    whole = path.read_bytes()
    path = tmp_path / name
    path.write_bytes(gzip.compress(whole) if name.endswith(".gz") else whole)
    shortened = path.read_bytes()[: path.stat().st_size * 9 // 10]
    with (
        SessionStore(connect(parse(server.url, origin="the test"))) as store,
        read.opened(str(path)) as archive,
        pytest.raises(OperationFailed) as failed,
    ):
        # In place, and not by another file of that name.
        restore(store, archive, How(), progress=lambda _count: os.truncate(path, len(shortened)))
    done = server.client.dbsize()
    assert 0 < done < len(lines)
    message = failed.value.message
    assert message.startswith(f"{path} was changed while it was read. Before that, {done} of 1500")
    assert "Nothing was changed" not in failed.value.hint
