"""`pawsctl doctor` reports what is wrong, and how to fix it."""

from pathlib import Path
from typing import Any

import pytest

from pawsctl.config.setting_specs import Setting
from pawsctl.errors import ExitStatus
from pawsctl.workflows.doctor import bot_health as doctors_bot
from tests import servers
from tests.bot import HEALTHY, SERVICES, accepting, bot
from tests.cli_runner import Pawsctl, Result
from tests.conftest import BROKEN, GOOD
from tests.ports import free_port
from tests.servers import Server
from tests.stack_fixtures import Stack


def findings(result: Result, name: str) -> list[dict[str, str]]:
    """Return the findings of one name, or whose name ends in it."""
    return [each for each in result.json["findings"] if each["name"].endswith(name)]


def finding(result: Result, name: str) -> dict[str, str]:
    """Return the one finding of that name."""
    (found,) = findings(result, name)
    return found


def test_where_nothing_is_wrong_it_says_so(tmp_path: Path) -> None:
    """The result has keys that scripts rely on; nothing is written."""
    limits = ("--appendonly", "yes", "--maxmemory", "64mb", "--maxmemory-policy", "allkeys-lru")
    with servers.running(tmp_path, *limits) as server, bot(200, HEALTHY) as url:
        server.client.set("wh:session:+1", GOOD[0].read_bytes(), ex=60)
        pawsctl = Pawsctl(tmp_path, server.url)
        result = pawsctl("doctor", "--json", env={"APP_URL": url})
        text = pawsctl("doctor", env={"APP_URL": url})
        assert server.client.dbsize() == 1
    assert result.status == ExitStatus.OK
    assert list(result.json) == ["ok", "findings"]
    assert list(result.json["findings"][0]) == ["name", "state", "detail", "hint"]
    states = {each["name"].split()[-1]: each["state"] for each in result.json["findings"]}
    assert states.pop("stack") == "skipped"
    assert set(states.values()) == {"ok"}
    assert set(states) >= {"settings", "answers", "writes", "memory", "clock", "sessions", "bot"}
    assert text.text.splitlines()[-1] == "nothing is wrong"


def test_broken_sessions_and_memory_are_warnings(pawsctl: Pawsctl, server: Server) -> None:
    """The bot still works: exit 0, and the hint names the command that shows more."""
    server.client.set("wh:session:+1", GOOD[0].read_bytes(), ex=60)
    server.client.set("wh:session:+2", BROKEN[0].read_bytes(), ex=60)
    result = pawsctl("doctor", "--json")
    assert result.status == ExitStatus.OK
    assert result.json["ok"] is True
    sessions = finding(result, "sessions")
    assert sessions["state"] == "warning"
    assert sessions["detail"] == "1 of 2 have a problem"
    assert "session lint" in sessions["hint"]
    memory = finding(result, " memory")
    assert memory["state"] == "warning"
    assert "AOF is off" in memory["detail"]


def test_a_redis_that_refuses_writes_fails(pawsctl: Pawsctl, server: Server) -> None:
    """`health` fails for the same reason."""
    server.client.config_set("maxmemory", 1)
    try:
        result = pawsctl("doctor", "--json")
    finally:
        server.client.config_set("maxmemory", 0)
    assert result.status == ExitStatus.FAILED
    assert finding(result, "takes writes")["state"] == "failed"
    assert "pawsctl redis maxmemory SIZE" in finding(result, "takes writes")["hint"]


def test_settings_that_cannot_be_read_are_a_finding(bare_pawsctl: Pawsctl) -> None:
    """The finding names the line, and what to do."""
    (bare_pawsctl.folder / ".env").write_text("REDIS_PORT=6379\nnonsense here\n")
    result = bare_pawsctl("doctor", "--json")
    assert result.status == ExitStatus.FAILED
    (found,) = result.json["findings"]
    assert found["name"] == "settings"
    assert found["state"] == "failed"
    assert "line 2" in found["detail"] or ":2" in found["detail"]
    assert found["hint"]


def test_contradicting_settings_are_a_finding(pawsctl: Pawsctl) -> None:
    """They break `redis up`, but not the session commands."""
    result = pawsctl("doctor", "--json", env={"REDIS_PORT": "1234"})
    assert result.status == ExitStatus.FAILED
    assert "disagree" in finding(result, "stack")["detail"]
    assert finding(result, "sessions")["state"] == "ok"


def test_where_redis_does_not_answer_the_stack_says_why(bare_pawsctl: Pawsctl) -> None:
    """It was never started, and the hint says how to start it."""
    result = bare_pawsctl("doctor", "--json", env={"REDIS_PORT": str(free_port())})
    assert result.status == ExitStatus.FAILED
    assert "refused" in finding(result, "redis")["detail"]
    assert finding(result, "stack")["state"] == "failed"
    assert "pawsctl redis up" in finding(result, "stack")["detail"]
    assert not findings(result, "sessions")


def test_a_stack_that_runs_unused_is_a_warning(stack: Stack, redis_server: Server) -> None:
    """The usual reason is a forgotten REDIS_URL; on both engines."""
    assert stack("redis", "up").status == ExitStatus.OK
    used = stack("doctor", "--json")
    # That port is taken by another Redis, so `up` could not move there.
    elsewhere = {"REDIS_PORT": str(redis_server.port)}
    moved = stack("doctor", "--json", env=elsewhere)
    status = stack("redis", "status", "--json", env=elsewhere)
    other = stack("doctor", "--json", "--url", redis_server.url, env={"REDIS_PORT": ""})
    assert finding(used, "stack")["state"] == "ok"
    assert finding(other, "stack")["state"] == "warning"
    assert "use another Redis" in finding(other, "stack")["detail"]
    assert "--url" in finding(other, "stack")["hint"]
    assert stack("redis", "status", "--json").json["problem"] is None
    assert (status.status, status.json["url"]) == (0, f"redis://127.0.0.1:{stack.port}")
    assert f"REDIS_PORT back to {stack.port}" in status.json["problem"]
    assert finding(moved, "stack")["hint"] == f"To use this one, set REDIS_PORT to {stack.port}."
    assert f"Port {redis_server.port} on 127.0.0.1 is in use" in finding(moved, "drift")["hint"]


def test_what_a_user_may_not_ask_is_skipped(tmp_path: Path, any_server: Server) -> None:
    """A read-only ACL user is not reported as a failure of Redis."""
    rules = ["%R~wh:*", "+scan", "+get", "+mget", "+pttl", "+type", "+ping", "+setex"]
    any_server.client.execute_command("ACL", "SETUSER", "one", "reset", "on", ">x", *rules)
    try:
        url = any_server.url.replace("//", "//one:x@")
        result = Pawsctl(tmp_path, url)("doctor", "--json")
    finally:
        any_server.client.execute_command("ACL", "DELUSER", "one")
    assert finding(result, "memory")["state"] == "skipped"
    assert finding(result, "clock")["state"] == "skipped"
    assert finding(result, "sessions")["state"] == "ok"
    assert finding(result, "takes writes")["detail"] == "this user may not write sessions"


UNHEALTHY = {
    "status": "unhealthy",
    "services": SERVICES
    | {"redis": {"status": "down", "configured": True}, "database": {"configured": False}},
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("status", "answer", "state", "detail"),
    [
        (503, UNHEALTHY, "failed", "unhealthy: redis is down, database is not set"),
        (503, {"status": "unhealthy", "error": "boom"}, "failed", "unhealthy: 'boom'"),
        (
            200,
            {"status": "healthy", "services": SERVICES | {"twilio": {"configured": False}}},
            "warning",
            "twilio not configured",
        ),
        (500, {"error": "boom"}, "failed", "status 500 Internal Server Error: 'boom'"),
        (500, b"<html>", "failed", "status 500 Internal Server Error"),
        (502, HEALTHY, "failed", "status 502 Bad Gateway"),
        (404, b"<html>", "failed", "status 404 Not Found is not the bot"),
        (307, b"", "failed", "status 307 Temporary Redirect is not the bot"),
        (200, b"<html>", "failed", "is not the bot"),
        (200, b'{"status":1}', "failed", "is not the bot"),
        (200, b'{"status":"healthy"' + b" " * 100_000, "failed", "is not the bot"),
    ],
)
def test_the_bot_is_asked_where_app_url_names_it(
    pawsctl: Pawsctl, status: int, answer: Any, state: str, detail: str
) -> None:
    """Any HTTP status is read; an answer that is not the bot's is not trusted."""
    with bot(status, answer) as url:
        found = finding(pawsctl("doctor", "--json", env={"APP_URL": url}), "bot")
    assert found["state"] == state
    assert detail in found["detail"]


def test_what_the_bot_says_is_not_trusted(pawsctl: Pawsctl) -> None:
    """Its error may quote text that somebody sent."""
    with bot(503, {"status": "unhealthy", "error": "\x1b[2J\u202e"}) as url:
        result = pawsctl("doctor", env={"APP_URL": url})
    assert "unhealthy: '\\x1b[2J\\u202e'" in result.text


@pytest.mark.parametrize("url", ["", "ftp://bot", "http://[", "http://a:b", "http://my host:3000"])
def test_a_bot_that_was_named_and_does_not_answer_fails(pawsctl: Pawsctl, url: str) -> None:
    """A value that is no URL fails, too."""
    url = url or f"http://127.0.0.1:{free_port()}"
    result = pawsctl("doctor", "--json", env={"APP_URL": url})
    assert result.status == ExitStatus.FAILED
    assert finding(result, "bot")["state"] == "failed"
    assert "APP_URL in the environment" in finding(result, "bot")["hint"]


NO_ANSWERS: dict[str, dict[str, Any]] = {
    "hangs": {},
    "closes": {"closes": True},
    "stops": {"said": b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", "closes": True},
    "drips": {"said": b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 99, "pause": 0.5},
}


@pytest.mark.parametrize("origin", ["environment", ""])
@pytest.mark.parametrize("way", NO_ANSWERS)
def test_a_bot_that_accepts_and_does_not_answer_fails(
    monkeypatch: pytest.MonkeyPatch, way: str, origin: str
) -> None:
    """Also at the default address; one deadline covers the whole answer."""
    monkeypatch.setattr(doctors_bot, "_ANSWER_SECONDS", 1.0)
    with accepting(**NO_ANSWERS[way]) as url:
        found = doctors_bot.examine(Setting("APP_URL", url, origin or "default"))
    assert found.state == "failed"
    assert "accepts" in found.detail
    assert "does not answer" in found.detail
    assert "Nothing answers" not in found.detail


def test_what_speaks_no_http_is_not_the_bot(pawsctl: Pawsctl) -> None:
    """Without APP_URL, the check of the bot then counts as skipped."""
    with accepting(b"SSH-2.0-x\r\n", closes=True) as url:
        named = doctors_bot.examine(Setting("APP_URL", url, "environment"))
        found = doctors_bot.examine(Setting("APP_URL", url, "default"))
    assert (named.state, found.state) == ("failed", "skipped")
    assert "no web server" in found.detail


def test_where_the_bot_was_not_looked_at_the_last_line_says_so(
    tmp_path: Path,
) -> None:
    """Nothing is known of the bot then."""
    limits = ("--appendonly", "yes", "--maxmemory", "64mb", "--maxmemory-policy", "allkeys-lru")
    with servers.running(tmp_path, *limits) as server:
        result = Pawsctl(tmp_path, server.url)("doctor", env={"APP_URL": ""})
    last = result.text.splitlines()[-1]
    if "nothing answers at http://localhost:3000" not in result.text:
        pytest.skip("something listens at port 3000")
    assert "nothing is wrong" not in last
    assert last.endswith("not looked at: bot")
