"""--read-only, PAWSCTL_READ_ONLY: nothing is changed, and what reads goes on working."""

from pathlib import Path

import pytest

from pawsctl.connection.read_list import only_reads
from pawsctl.errors import ExitStatus
from pawsctl.safety.guarded import changes_data
from tests.cli_runner import Pawsctl
from tests.docs import commands
from tests.following import following
from tests.servers import Server, store_session
from tests.serving import DEVELOPMENT, serving

CHANGING = (
    *("session delete +1", "session touch +1", "session flush --yes", "session seed 3"),
    *("session repair +1 --yes", "session repair --all --yes", "session edit +1"),
    *("session erase +1 --yes", "session copy --all --to redis://127.0.0.1:1"),
    *("session import a.jsonl", "session import a.jsonl --replace", "test-session"),
    *("backup restore --latest", "backup purge --yes"),
    *("redis maxmemory 64mb --yes", "redis up", "redis dev", "redis down", "redis start"),
    *("redis stop", "redis restart", "redis reset --yes", "redis failover --topology cluster"),
    *("redis cli", "redis cli -- SET wh:session:+1 x", "health --only writes"),
)
READING = (
    *("session list", "session get +1", "session ttl +1", "session ttl", "session stats"),
    *("session lint", "session flush --dry-run", "session import a.jsonl --dry-run", "health"),
    *("session repair +1 --dry-run", "session repair --all --dry-run"),
    *("redis memory", "config", "redis down --dry-run", "session export b.jsonl"),
    *("session verify a.jsonl", "profile list", "profile show look", "profile check", "doctor"),
    # Backups are files of this machine.
    *("backup list", "audit list", "backup show --latest"),
)
# Commands that find this project's own Redis not running.
FAILING = ("redis status", "redis logs", "redis cli -- PING")
# Commands that run until they are ended have a test of their own.
ENDLESS = {"session watch", "serve"}


def test_every_command_is_tried_here() -> None:
    """One that changes something must be among those that are refused."""
    tried = {
        name
        for name in commands.every_command()
        if any(f"{line} ".startswith(f"{name} ") for line in (*CHANGING, *READING, *FAILING))
    }
    assert tried | ENDLESS == commands.every_command().keys()
    refused = {
        name for name in tried if any(f"{each} ".startswith(f"{name} ") for each in CHANGING)
    }
    assert {name for name in tried if changes_data(name)} <= refused


def test_what_changes_is_refused_and_what_reads_works(pawsctl: Pawsctl, server: Server) -> None:
    """The refusal has a status and a code of its own, and names the setting that asks for it.

    In the end, the server itself says that it got nothing but commands that read.
    """
    store_session(server, "+1", b'{"status":"active","messages":[],"updatedAt":1}')
    store_session(server, "+2", b"{}")
    assert pawsctl("session", "delete", "+2").status == ExitStatus.OK
    assert pawsctl("session", "export", "a.jsonl").status == ExitStatus.OK
    (pawsctl.folder / "pawsctl.toml").write_text(f'[profiles.look]\nurl = "{server.url}"\n')
    pawsctl.environment |= {"PAWSCTL_READ_ONLY": "1", "EDITOR": "true"}
    server.client.config_resetstat()
    limit = server.client.config_get("maxmemory")
    before = server.client.dump("wh:session:+1")
    for command in CHANGING:
        refused = pawsctl("--json", *command.split(" "))
        assert refused.status == ExitStatus.NOT_CONFIRMED, (command, refused.err)
        assert refused.error["code"] == "read-only"
        assert "PAWSCTL_READ_ONLY in the environment" in refused.error["message"]
    assert server.client.dump("wh:session:+1") == before
    assert server.client.dbsize() == 1
    assert 0 < server.client.ttl("wh:session:+1") <= 21_600
    assert server.client.config_get("maxmemory") == limit
    for command in READING:
        read = pawsctl(*command.split(" "))
        assert read.status == ExitStatus.OK, (command, read.err)
    for command in FAILING:
        assert pawsctl(*command.split(" ")).status == ExitStatus.FAILED, command
    # Commands that scripts call are counted as well.
    mine = {"config|resetstat", "eval"}
    got = {name.removeprefix("cmdstat_") for name in server.client.info("commandstats")} - mine
    assert {name for name in got if not only_reads(name.split("|"))} == set()
    assert {"get", "pttl", "scan"} <= got


def test_what_runs_on_only_reads(pawsctl: Pawsctl, server: Server) -> None:
    """`session watch` and `serve`, which leaves out the check of writes that health has."""
    store_session(server, "+1", b'{"status":"active","messages":[],"updatedAt":1}')
    pawsctl.environment["PAWSCTL_READ_ONLY"] = "1"
    server.client.config_resetstat()
    with following(pawsctl, "session", "watch", "--interval", "100ms") as watch:
        watch.said()
        with serving(pawsctl, env=DEVELOPMENT) as served:
            for path in ("/api/health", "/metrics", "/readyz", "/livez"):
                assert served.ask(path=path).status == 200, path
            assert served.ask("POST", body='{"phone":"+1"}').json["session"]
    got = {name.removeprefix("cmdstat_") for name in server.client.info("commandstats")}
    mine = {"config|resetstat", "eval"}
    assert {name for name in got - mine if not only_reads(name.split("|"))} == set()
    assert {"get", "scan"} <= got


@pytest.mark.parametrize("value", ["true", "YES", "on"])
def test_no_source_takes_back_what_another_asks_for(
    pawsctl: Pawsctl, tmp_path: Path, value: str
) -> None:
    """A 0 in the environment does not undo a .env."""
    (tmp_path / ".env").write_text(f"PAWSCTL_READ_ONLY={value}\n")
    refused = pawsctl("session", "delete", "+1", env={"PAWSCTL_READ_ONLY": "0"})
    assert refused.status == ExitStatus.NOT_CONFIRMED
    assert f"PAWSCTL_READ_ONLY in {tmp_path / '.env'}:1" in refused.err
    (tmp_path / ".env").unlink()
    assert pawsctl("--read-only", "session", "touch", "+1").status == ExitStatus.NOT_CONFIRMED
    assert pawsctl("session", "touch", "+1").status == ExitStatus.NO_SESSION


def test_a_value_that_says_neither_is_an_error(pawsctl: Pawsctl) -> None:
    """Taking it for no would write."""
    result = pawsctl("session", "delete", "+1", env={"PAWSCTL_READ_ONLY": "maybe"})
    assert result.status == ExitStatus.USAGE
    assert "PAWSCTL_READ_ONLY (PAWSCTL_READ_ONLY in the environment) is 'maybe'" in result.err
