"""Every change is a line of the audit log, written before it and completed after it."""

import signal
import stat
from pathlib import Path

from pawsctl.errors import ExitStatus
from tests.cli_runner import Pawsctl
from tests.servers import Server, store_session
from tests.stack_fixtures import Stack


def log_of(pawsctl: Pawsctl) -> Path:
    """Return the file of the audit log."""
    return Path(pawsctl.environment["XDG_STATE_HOME"], "pawsctl", "audit.jsonl")


def test_a_change_tells_who_and_what_and_no_phone(pawsctl: Pawsctl, server: Server) -> None:
    """Its end has the exit status and the counts; what changes nothing leaves no line."""
    for phone in ("+1234567", "+7654321"):
        store_session(server, phone, b'{"status":"active","messages":[]}')
    assert pawsctl("session", "list").status == ExitStatus.OK
    assert pawsctl("session", "flush", "--dry-run").status == ExitStatus.OK
    assert pawsctl("session", "flush").status == ExitStatus.NOT_CONFIRMED
    assert pawsctl("audit", "list", "--json").json == []
    assert pawsctl("session", "delete", "+1234567", "+99").status == ExitStatus.NO_SESSION
    words = ("session", "flush", "--match", "+7654321", "--yes")
    assert pawsctl(*words).status == ExitStatus.OK
    flushed, deleted = pawsctl("audit", "list", "--json").json
    assert (flushed["command"], flushed["options"]) == ("session flush", ["--yes", "--match"])
    assert (flushed["status"], flushed["counts"]["deleted"]) == (0, 1)
    assert (deleted["command"], deleted["status"], deleted["named"]) == ("session delete", 4, 2)
    assert (deleted["url"], deleted["host"]) == (server.url, "127.0.0.1")
    assert deleted["counts"] == {"deleted": 1}
    assert deleted["at"] < deleted["ended_at"] < flushed["at"]
    text = log_of(pawsctl).read_text()
    assert "1234567" not in text
    assert "7654321" not in text
    assert stat.S_IMODE(log_of(pawsctl).stat().st_mode) == 0o600
    (named,) = pawsctl("audit", "list", "--phone", "+1 234 567", "--json").json
    assert named["id"] == deleted["id"]
    (newest,) = pawsctl("audit", "list", "--limit", "1", "--json").json
    assert newest["id"] == flushed["id"]
    # A clock that was ahead then and is right now moves no change.
    log_of(pawsctl).write_text(text.replace(deleted["at"], "2099-01-01T00:00:00Z"))
    dates = [each["at"][:4] for each in pawsctl("audit", "list", "--json").json]
    assert dates == [flushed["at"][:4], "2099"]


def test_a_phone_that_was_written_otherwise_is_named(pawsctl: Pawsctl, server: Server) -> None:
    """With its +, it is another session; the list of the one without is empty, and says so."""
    store_session(server, "+1234567", b'{"status":"active","messages":[]}')
    assert pawsctl("session", "touch", "+1234567").status == 0
    found = pawsctl("audit", "list", "--phone", "1234567")
    assert (found.status, found.out) == (0, b"")
    assert found.err == "No recorded change names 1234567. Some name +1234567.\n"
    assert pawsctl("audit", "list", "--phone", "77").err == "No recorded change names 77.\n"


def test_smoke_tests_and_redis_cli_are_recorded_and_a_phone_counts_once(
    pawsctl: Pawsctl, server: Server
) -> None:
    """A redis-cli that only reads changes nothing."""
    store_session(server, "+1", b"{}")
    assert pawsctl("test-session").status == ExitStatus.OK
    assert pawsctl("session", "touch", "+1", "+1").status == ExitStatus.OK
    # This project's own Redis does not run; that they were begun is recorded all the same.
    for words in (("GET", "a"), ("SET", "a", "b")):
        assert pawsctl("redis", "cli", "--", *words).status != ExitStatus.OK
    cli, touched, smoke = pawsctl("audit", "list", "--json").json
    assert [each["command"] for each in (cli, smoke)] == ["redis cli", "test-session"]
    assert cli["status"] != ExitStatus.OK
    assert touched["counts"] == {"touched": 1}


def test_what_can_not_be_recorded_is_not_done_before_production(
    pawsctl: Pawsctl, server: Server
) -> None:
    """Elsewhere it is told, and done."""
    store_session(server, "+1", b"{}")
    log_of(pawsctl).mkdir(parents=True)
    production = {"NODE_ENV": "production"}
    words = ("session", "delete", "+1", "--confirm", "127.0.0.1")
    refused = pawsctl(*words, env=production)
    assert refused.status == ExitStatus.FAILED
    assert "can't be recorded, and this may be production" in refused.err
    assert server.client.exists("wh:session:+1")
    done = pawsctl("session", "delete", "+1")
    assert done.status == ExitStatus.OK
    assert "warning: The change is not recorded: " in done.err
    assert not server.client.exists("wh:session:+1")


def test_a_start_that_is_ended_says_how_and_one_that_can_not_be_recorded_is_none(
    embedded_stack: Stack,
) -> None:
    """If it is killed, there is no end. Where a file of the bot says production, nothing runs."""
    stack = embedded_stack
    for number, status in ((signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGKILL, None)):
        ended = stack.signalled(number, "server.log", "redis", "up")
        ended.communicate(timeout=60)
        assert status in (ended.returncode, None)
        newest = stack("audit", "list", "--limit", "1", "--json").json[0]
        assert (newest["command"], newest["status"]) == ("redis up", status)
    assert stack("redis", "down").status == ExitStatus.OK
    log_of(stack).unlink()
    log_of(stack).mkdir()
    (stack.folder / ".env.local").write_text("NODE_ENV=production\n")
    refused = stack("redis", "up")
    assert refused.status == ExitStatus.FAILED
    assert "can't be recorded, and this may be production" in refused.err
    assert stack("redis", "status").status == ExitStatus.FAILED
    (stack.folder / ".env.local").unlink()
    done = stack("redis", "up")
    assert done.status == ExitStatus.OK
    assert "warning: The change is not recorded: " in done.err


def test_a_killed_change_has_no_end_and_a_torn_line_harms_no_other(
    pawsctl: Pawsctl, server: Server
) -> None:
    """The next line begins on a line of its own."""
    store_session(server, "+1", b"{}")
    # The backup's folder is opened after the line is written.
    killed = pawsctl.signalled(signal.SIGKILL, "undo.archives/", "session", "flush", "--yes")
    killed.communicate(timeout=60)
    assert server.client.exists("wh:session:+1")
    with log_of(pawsctl).open("a") as file:
        # A time without its zone can't be compared with the others.
        line = log_of(pawsctl).read_text().splitlines()[0]
        file.write(line.replace('Z"', '"').replace('"id":"', '"id":"0') + "\n")
        file.write('{"event":"begun","id":"torn')
    assert pawsctl("session", "flush", "--yes").status == ExitStatus.OK
    assert [each["status"] for each in pawsctl("audit", "list", "--json").json] == [0, None]
    assert "no end" in pawsctl("audit", "list").text
