"""Ctrl-C, TERM and HUP anywhere in commands that read and write: one sentence, and no half work."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli_runner import Pawsctl
from tests.servers import Server, store_session

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals to send"),
    pytest.mark.slow(10),
]

_ROOT = Path(__file__).parents[2]
_STATUSES = {"SIGINT": 130, "SIGTERM": 143, "SIGHUP": 129}
# Interruptions of a command; a doctor looks at each process of this machine, which takes long.
_TIMES = {"session": 8, "doctor": 3, "backup": 16}
_SESSIONS = 20
_STUCK = (
    b'{"status":"active","messages":[{"role":"assistant","content":[{"type":"tool_use","id":"t",'
    b'"name":"x","input":{}}]}],"updatedAt":1}'
)


def _interrupted(
    pawsctl: Pawsctl, kind: str, *words: str, before: Callable[[], object] = lambda: None
) -> Iterator[dict[str, Any]]:
    """Yield how a command ended each time it was interrupted; `before` is called before each."""
    times = _TIMES[words[0]]
    # Users don't see warnings of what an interruption left open.
    unwarned = {k: v for k, v in pawsctl.environment.items() if k != "PYTHONWARNINGS"}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.interrupting_commands", kind, str(times), *words],
        cwd=pawsctl.folder,
        env={**unwarned, "PYTHONPATH": str(_ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdin
        assert process.stdout
        ends: list[int] = []
        ended = 0
        for _ in range(times + 1):
            before()
            process.stdin.write("\n")
            process.stdin.flush()
            each = json.loads(process.stdout.readline())
            if not ends:
                ended = each["status"]
            # The last of them may come when all is done.
            assert each["status"] in (_STATUSES[kind], ended), each
            assert not re.search("Traceback|Exception ignored|Error:", each["err"]), each
            assert each["err"].count("Interrupted") <= 1, each
            if ends:
                yield each
            ends.append(each["status"])
    # A doctor ends before some of them if other processes have ended since it was counted.
    least = 1 if words[0] == "doctor" else times // 2 + 1
    assert ends.count(_STATUSES[kind]) >= least, ends


@pytest.fixture
def filled(pawsctl: Pawsctl, server: Server) -> Pawsctl:
    """pawsctl for a server of sessions that need repair, and an archive of them."""
    for number in range(_SESSIONS):
        store_session(server, f"+1{number:02}", _STUCK)
    assert pawsctl("session", "export", "a.jsonl").status == 0
    return pawsctl


@pytest.mark.parametrize(
    ("kind", "command"),
    [
        ("SIGINT", "session verify a.jsonl"),
        ("SIGINT", "session ttl"),
        ("SIGINT", "session list -o csv"),
        ("SIGHUP", "session list --json"),
        ("SIGTERM", "doctor --json"),
    ],
)
def test_a_command_that_reads_ends_with_the_status_of_the_signal(
    filled: Pawsctl, kind: str, command: str
) -> None:
    """In JSON its last line on stderr is the error; in text nothing need be said."""
    for each in _interrupted(filled, kind, *command.split()):
        if each["status"] and "--json" in command:
            assert json.loads(each["err"].splitlines()[-1])["error"]["code"] == "interrupted"
        elif each["status"]:
            assert "rror" not in each["err"], each


@pytest.mark.parametrize("kind", ["SIGINT", "SIGTERM"])
def test_a_command_that_fails_says_so_also_if_it_is_interrupted_then(
    pawsctl: Pawsctl, kind: str
) -> None:
    """In JSON there is an error in any case: of the failure, or of the interruption before."""
    codes = set()
    for each in _interrupted(pawsctl, kind, "backup", "list", "--json", "--url", "redis://x"):
        (line,) = each["err"].splitlines()
        codes.add(json.loads(line)["error"]["code"])
    assert codes == {"interrupted", "usage"}


@pytest.mark.parametrize("kind", ["SIGINT", "SIGTERM"])
def test_an_export_to_a_pipe_that_ends_early_looks_like_it(filled: Pawsctl, kind: str) -> None:
    """Only what is whole has a last line with a checksum."""
    for each in _interrupted(filled, kind, "session", "export", "-"):
        lines = each["out"].splitlines()
        is_whole = bool(lines) and "checksum" in lines[-1]
        assert is_whole or each["status"]
        assert not is_whole or len(lines) == _SESSIONS + 2


def test_a_repair_that_is_interrupted_says_what_it_has_repaired(
    filled: Pawsctl, server: Server
) -> None:
    """Nothing is lost, and the message counts the repaired sessions and the doubtful ones."""
    keys = [f"wh:session:+1{number:02}" for number in range(_SESSIONS)]

    def store_anew() -> None:
        server.client.mset(dict.fromkeys(keys, _STUCK))

    words = ("session", "repair", "--all", "--yes", "--no-backup")
    for each in _interrupted(filled, "SIGINT", *words, before=store_anew):
        values = server.client.mget(keys)
        assert all(value and (value == _STUCK or b"TOOL_RESULTS" in value) for value in values)
        told = re.search(r"(\d+) sessions? w\w+ repaired(?:; of (\d+) more)?", each["err"])
        done, unknown = [int(number or 0) for number in told.groups()] if told else [0, 0]
        repaired = sum(value != _STUCK for value in values)
        assert not each["status"] or done <= repaired <= done + unknown, each
