"""Every command that changes something is in the audit log with its end, and no other is."""

import re
from collections.abc import Iterable
from pathlib import Path

from pawsctl.connection.read_list import only_reads
from pawsctl.errors import ExitStatus
from pawsctl.safety.guarded import changes_data
from tests.docs import commands
from tests.servers import path_with_client
from tests.stack_fixtures import Stack

# A message without content: there is something to repair.
SESSION = '{"status":"active","messages":[{"role":"user"}],"updatedAt":1}'

# Lines that are run one after the other, with how many of what they change.
CHANGING: tuple[tuple[str, dict[str, int]], ...] = (
    ("redis up", {"created": 1}),
    ("redis up", {}),
    ("redis stop", {"stopped": 1}),
    ("redis start", {"started": 1}),
    ("redis restart", {"restarted": 1}),
    ("redis maxmemory 99mb --yes", {"changed": 1}),
    (f"redis cli -- SET wh:session:+1 {SESSION}", {}),
    ("session touch +1", {"touched": 1}),
    ("session edit +1", {"edited": 1}),
    ("session repair +1 --yes", {"repaired": 1}),
    ("session copy --all --to {url}/1", {"copied": 1}),
    ("session delete +1", {"deleted": 1}),
    ("backup restore --latest", {"restored": 1}),
    ("session erase +1 --yes", {"erased": 4}),
    ("session seed 2", {"written": 2}),
    ("session flush --yes", {"deleted": 2}),
    ("session import a.jsonl", {"imported": 1}),
    ("test-session", {}),
    ("backup purge --yes", {"removed": 1}),
    ("redis reset --yes", {"removed": 2, "created": 1}),
    ("redis down", {"removed": 1}),
    ("redis down --volumes --yes", {"removed": 1}),
)
# There are a session and backups then.
READ_AFTER = "backup restore --latest"
READING = (
    *("session list", "session get +1", "session ttl", "session stats", "session lint"),
    *("session flush --dry-run", "session flush", "session verify a.jsonl", "health", "doctor"),
    *("session repair --all --dry-run", "redis status", "redis logs", "redis memory"),
    *("redis down --dry-run", "redis cli -- GET a", "profile list", "profile show look"),
    *("profile check look", "config", "audit list", "backup list", "backup show --latest"),
    *("session export a.jsonl --force", "redis failover --topology cluster", "redis dev"),
)
# Commands that need Docker or a topology are tried elsewhere.
ELSEWHERE = {"redis dev", "redis failover"}
# Commands that run until they are ended, and change nothing.
ENDLESS = {"session watch", "serve"}


def _named(lines: Iterable[str]) -> list[str]:
    """Return the commands of the lines."""
    every = commands.every_command()
    return [name for line in lines for name in every if f"{line} ".startswith(f"{name} ")]


def test_every_command_is_run_here() -> None:
    """A new one is recorded, or is among those that change nothing."""
    every = commands.every_command()
    changing = {*_named(line for line, _ in CHANGING)}
    assert changing | ELSEWHERE == {name for name in every if changes_data(name)}
    assert changing.union(_named(READING), ENDLESS) == every.keys()


def test_what_changes_something_is_recorded_and_what_reads_is_not(
    embedded_stack: Stack, tmp_path: Path
) -> None:
    """With its options, its end, and how many of what were changed.

    What reads sends no command that writes, but for the one of `health` that Redis refuses, and the
    one of a dry run that names a key of nobody.
    """
    stack = embedded_stack
    url = f"redis://127.0.0.1:{stack.port}"
    (tmp_path / "pawsctl.toml").write_text(f'[profiles.look]\nurl = "{url}"\n')
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nsed -i s/active/closed/ "$1"\n')
    editor.chmod(0o755)
    stack.environment |= {"EDITOR": str(editor), "PATH": path_with_client()}
    for number, (line, counts) in enumerate(CHANGING, start=1):
        done = stack(*line.replace("{url}", url).split(" "))
        assert done.status == ExitStatus.OK, (line, done.err)
        recorded = stack("audit", "list", "--json").json
        assert len(recorded) == number, line
        newest = recorded[0]
        assert ([newest["command"]], newest["status"]) == (_named([line]), 0)
        assert {name: each for name, each in newest["counts"].items() if each} == counts, line
        assert newest["host"] in ("127.0.0.1", ""), line
        assert {*newest["options"]} == {*re.findall("--[a-z]+", line)}, line
        if line == READ_AFTER:
            with stack.client() as client:
                client.config_resetstat()
                for reads in READING:
                    stack(*reads.split(" "))
                got = {each.removeprefix("cmdstat_") for each in client.info("commandstats")}
            known = {"config|resetstat", "eval", "setex", "unlink"}
            assert {each for each in got - known if not only_reads(each.split("|"))} == set()
            assert stack("audit", "list", "--json").json == recorded
