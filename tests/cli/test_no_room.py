"""No room on stdout, disk or state directory: an error message, and no file that looks whole."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pawsctl.errors import ExitStatus
from tests.cli_runner import Pawsctl
from tests.servers import Server

FULL = Path("/dev/full")


def run(pawsctl: Pawsctl, *arguments: str, line: str = 'exec "$@"') -> tuple[int, str]:
    """Run a command as "$@" in a shell line; return its exit status and stderr."""
    done = shell(pawsctl, *arguments, line=line)
    return done.returncode, done.stderr.decode()


def shell(pawsctl: Pawsctl, *arguments: str, line: str) -> subprocess.CompletedProcess[bytes]:
    """Run a command as "$@" in a shell line."""
    return subprocess.run(
        ["bash", "-c", line, "bash", sys.executable, "-m", "pawsctl", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        cwd=pawsctl.folder,
        env=pawsctl.environment,
        check=False,
        timeout=60,
    )


@pytest.fixture
def filled(pawsctl: Pawsctl, server: Server) -> Pawsctl:
    """pawsctl with more sessions than any buffer holds."""
    assert server.client.dbsize() == 0
    assert pawsctl("session", "seed", "3000").status == ExitStatus.OK
    return pawsctl


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize(
    "arguments",
    [
        "session list",
        "session list -o csv",
        "session stats",
        "session export -",
        "session get --raw +1",
        "config",
        "health",
        "--help",
        "session --help",
        "--version",
    ],
)
def test_a_full_stdout_is_told(filled: Pawsctl, server: Server, arguments: str) -> None:
    """Exit 1: the output is incomplete."""
    server.client.set("wh:session:+1", b"{}", ex=60)
    status, err = run(filled, *arguments.split(), line='exec "$@" >/dev/full')
    assert status == ExitStatus.FAILED
    assert err.splitlines()[0] == "error: stdout can't be written: No space left on device."
    assert "Traceback" not in err


@pytest.mark.parametrize("arguments", ["config", "--help", "session list --help", "--version"])
def test_a_file_that_may_not_grow_is_told(bare_pawsctl: Pawsctl, arguments: str) -> None:
    """By a limit of the process here; a quota is refused in the same place."""
    status, err = run(bare_pawsctl, *arguments.split(), line='ulimit -f 0; exec "$@" >out')
    assert status == ExitStatus.FAILED
    assert err.splitlines()[0] == "error: stdout can't be written: File too large."


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
def test_a_full_stdout_is_told_to_programs_too(filled: Pawsctl) -> None:
    """The error object is on stderr as usual."""
    status, err = run(filled, "session", "list", "--json", line='exec "$@" >/dev/full')
    assert status == ExitStatus.FAILED
    assert err.startswith('{"error":{"code":"failed","message":"stdout can')


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
def test_a_change_that_could_not_be_printed_is_told(filled: Pawsctl, server: Server) -> None:
    """Nobody is to guess whether a flush that ends with 1 deleted anything."""
    status, err = run(filled, "session", "flush", "--yes", line='exec "$@" >/dev/full')
    assert status == ExitStatus.FAILED
    assert "stdout can't be written" in err
    assert "Done before that: 3000 deleted." in err
    assert server.client.dbsize() == 0


@pytest.mark.parametrize("arguments", ["session list", "--help", "session --help"])
def test_a_reader_that_has_seen_enough_is_no_failure(filled: Pawsctl, arguments: str) -> None:
    """For example with `| head`."""
    status, err = run(
        filled, *arguments.split(), line='set -o pipefail; "$@" | head -n 1 >/dev/null'
    )
    assert (status, err) == (0, "")


@pytest.mark.parametrize("name", ["sessions.jsonl", "sessions.jsonl.gz"])
def test_a_disk_without_room_for_an_archive_is_told(filled: Pawsctl, name: str) -> None:
    """No file is left behind."""
    line = 'ulimit -f 16; exec "$@"'
    status, err = run(filled, "session", "export", name, line=line)
    assert status == ExitStatus.FAILED
    assert err.startswith(f"error: {name} can't be written: File too large.")
    assert "Nothing was left there." in err
    assert "Traceback" not in err
    assert not list(filled.folder.glob("*sessions*"))
    (filled.folder / name).write_text("old")
    status, err = run(filled, "session", "export", name, "--force", line=line)
    assert "The file there is as it was." in err
    assert (filled.folder / name).read_text() == "old"


def test_a_copy_without_room_to_be_rewritten_is_told_and_whole(filled: Pawsctl) -> None:
    """The session is erased, the archive stays as it was, and the receipt tells of both."""
    state = filled.folder / "state" / "pawsctl"
    state.mkdir(parents=True, exist_ok=True)
    archive = state / "a.jsonl"
    assert filled("session", "export", str(archive)).status == ExitStatus.OK
    before = archive.read_bytes()
    phone = json.loads(before.splitlines()[1])["phone"]
    erase = ("session", "erase", phone, "--yes", "--receipt", "r.json")
    status, err = run(filled, *erase, line='ulimit -f 16; exec "$@"')
    assert status == ExitStatus.FAILED
    assert "a.jsonl can't be written: File too large. Still there: kept copies." in err
    assert "An archive that can't be rewritten is whole, as it was." in err
    assert archive.read_bytes() == before
    receipt = json.loads((filled.folder / "r.json").read_text())
    assert receipt["complete"] is False
    assert "File too large" in receipt["not_erased"][0]
    assert [each["erased"] for each in receipt["looked_at"]] == [1, 0, 0]


def test_what_was_erased_is_shown_if_there_is_no_room_for_the_receipt(filled: Pawsctl) -> None:
    """The next receipt would not have it."""
    found = filled("session", "list", "--limit", "1", "-o", "jsonl")
    phone = json.loads(found.out)["phone"]
    line = 'ulimit -f 0; exec "$@" | cat; exit "${PIPESTATUS[0]}"'
    (filled.folder / "state" / "pawsctl").mkdir(parents=True, exist_ok=True)
    (filled.folder / "state" / "pawsctl" / "hash.key").write_text("0" * 64)
    (filled.folder / "state" / "pawsctl" / "hash.key").chmod(0o600)
    erase = ("session", "erase", phone, "--yes", "--receipt", "r.json", "--json")
    done = shell(filled, *erase, line=line)
    assert done.returncode == ExitStatus.FAILED
    assert json.loads(done.stdout)["receipt"]["looked_at"][0]["erased"] == 1
    assert b"What was erased is on stdout, and nowhere else." in done.stderr


def test_a_state_directory_without_room_is_told(bare_pawsctl: Pawsctl) -> None:
    """The lock against simultaneous commands can't be created there."""
    status, err = run(bare_pawsctl, "redis", "up", line='ulimit -f 0; exec "$@"')
    assert status == ExitStatus.FAILED
    assert "Traceback" not in err
    assert "\nerror: " in err


@pytest.mark.parametrize(
    ("arguments", "line", "status", "said"),
    [
        ("session get -", '"$@" <&-', ExitStatus.USAGE, "No phone on stdin."),
        ("session import -", '"$@" <&-', ExitStatus.FAILED, "The archive on stdin is empty"),
        ("config", '"$@" >&-', ExitStatus.FAILED, "stdout can't be written: Bad file descriptor."),
        ("--help", '"$@" >&-', ExitStatus.FAILED, "stdout can't be written: Bad file descriptor."),
        ("config --bogus", '"$@" 2>&-', ExitStatus.USAGE, ""),
    ],
)
def test_a_closed_stream_is_no_crash(
    bare_pawsctl: Pawsctl, arguments: str, line: str, status: ExitStatus, said: str
) -> None:
    """No socket or file gets its file descriptor."""
    done, err = run(bare_pawsctl, *arguments.split(), line=line)
    assert done == status
    assert said in err
    assert "Traceback" not in err


def test_an_archive_from_a_pipe_needs_room(filled: Pawsctl) -> None:
    """It is stored to be read twice; the error does not blame stdout."""
    assert filled("session", "export", "a.jsonl").status == ExitStatus.OK
    line = 'cat a.jsonl | (ulimit -f 16; exec "$@")'
    status, err = run(filled, "session", "import", "-", line=line)
    assert status == ExitStatus.FAILED
    assert "can't be kept in a temporary file meanwhile: File too large." in err
    assert "TMPDIR" in err


@pytest.mark.parametrize("command", ["session export", "session lint --junit"])
@pytest.mark.parametrize("place", ["a" * 300, "loop", "fifo", "file/below", "nowhere/a"])
def test_a_place_that_takes_no_file_is_told(pawsctl: Pawsctl, command: str, place: str) -> None:
    """It is left unchanged."""
    (pawsctl.folder / "loop").symlink_to("loop")
    (pawsctl.folder / "file").touch()
    os.mkfifo(pawsctl.folder / "fifo")
    before = sorted(pawsctl.folder.iterdir())
    result = pawsctl(*command.split(), place)
    assert result.status in (ExitStatus.FAILED, ExitStatus.USAGE)
    assert place in result.err
    assert "Traceback" not in result.err
    assert sorted(pawsctl.folder.iterdir()) == before


def test_a_report_is_made_as_the_umask_has_it_and_where_a_link_leads(pawsctl: Pawsctl) -> None:
    """It is created as the shell would create it."""
    (pawsctl.folder / "link.xml").symlink_to("real.xml")
    status, err = run(
        pawsctl, "session", "lint", "--junit", "link.xml", line='umask 027; exec "$@"'
    )
    assert (status, err) == (ExitStatus.OK, "")
    assert (pawsctl.folder / "link.xml").is_symlink()
    assert (pawsctl.folder / "real.xml").stat().st_mode & 0o777 == 0o640


def test_a_summary_that_cannot_be_written_is_told(pawsctl: Pawsctl) -> None:
    """GitHub sets the file's name."""
    env = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": "/nowhere/summary.md"}
    result = pawsctl("session", "lint", env=env)
    assert result.status == ExitStatus.FAILED
    assert "The summary can't be written to /nowhere/summary.md" in result.err


def test_a_draft_that_does_not_fit_is_named(pawsctl: Pawsctl, server: Server) -> None:
    """It is the draft for the editor that has no room, and not stdout."""
    text = json.dumps({"status": "active", "messages": [], "note": "x" * 9_000})
    server.client.set("wh:session:+1", text, ex=900)
    line = 'ulimit -f 4; export PYTHONDONTWRITEBYTECODE=1; EDITOR=true exec "$@"'
    status, err = run(pawsctl, "session", "edit", "+1", line=line)
    assert status == ExitStatus.FAILED
    assert "The draft can't be written in " in err
    assert server.client.get("wh:session:+1") == text.encode()
