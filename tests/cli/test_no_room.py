"""stdout, a disk, a state directory without room: one sentence, and nothing that looks whole."""

import subprocess
import sys
from pathlib import Path

import pytest

from pawsctl.errors import ExitStatus
from tests.cli_runner import Pawsctl
from tests.servers import Server

FULL = Path("/dev/full")


def run(pawsctl: Pawsctl, *arguments: str, line: str = 'exec "$@"') -> tuple[int, str]:
    """Run a command by a shell line in which it is "$@"; its exit status and stderr."""
    done = subprocess.run(
        ["bash", "-c", line, "bash", sys.executable, "-m", "pawsctl", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        cwd=pawsctl.folder,
        env=pawsctl.environment,
        check=False,
        timeout=60,
    )
    return done.returncode, done.stderr.decode()


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
    """Exit 1: what was printed is not the whole."""
    server.client.set("wh:session:+1", b"{}", ex=60)
    status, err = run(filled, *arguments.split(), line='exec "$@" >/dev/full')
    assert status == ExitStatus.FAILED
    assert err.splitlines()[0] == "error: stdout can't be written: No space left on device."
    assert "Traceback" not in err


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
def test_a_full_stdout_is_told_to_programs_too(filled: Pawsctl) -> None:
    """The error object stands on stderr as ever."""
    status, err = run(filled, "session", "list", "--json", line='exec "$@" >/dev/full')
    assert status == ExitStatus.FAILED
    assert err.startswith('{"error":{"code":"failed","message":"stdout can')


@pytest.mark.parametrize("arguments", ["session list", "--help", "session --help"])
def test_a_reader_that_has_seen_enough_is_no_failure(filled: Pawsctl, arguments: str) -> None:
    """As with `| head`."""
    status, err = run(
        filled, *arguments.split(), line='set -o pipefail; "$@" | head -n 1 >/dev/null'
    )
    assert (status, err) == (0, "")


@pytest.mark.parametrize("name", ["sessions.jsonl", "sessions.jsonl.gz"])
def test_a_disk_without_room_for_an_archive_is_told(filled: Pawsctl, name: str) -> None:
    """And nothing is left there."""
    status, err = run(filled, "session", "export", name, line='ulimit -f 16; exec "$@"')
    assert status == ExitStatus.FAILED
    assert err.startswith(f"error: {filled.folder / name} can't be written: File too large.")
    assert "Traceback" not in err
    assert not list(filled.folder.glob("*sessions*"))


def test_a_state_directory_without_room_is_told(bare_pawsctl: Pawsctl) -> None:
    """The lock that keeps two of us apart can't be made there."""
    status, err = run(bare_pawsctl, "redis", "up", line='ulimit -f 0; exec "$@"')
    assert status == ExitStatus.FAILED
    assert "Traceback" not in err
    assert err.startswith("error: ")
