"""`pawsctl health`."""

from pathlib import Path

import pytest

from pawsctl.errors import ExitStatus
from tests import clusters, servers
from tests.cli_runner import Pawsctl
from tests.servers import Server


def test_a_redis_that_can_do_its_work_is_healthy(tmp_path: Path, any_server: Server) -> None:
    """The result has keys that scripts rely on; nothing is written."""
    result = Pawsctl(tmp_path, any_server.url)("health", "--json")
    assert result.status == ExitStatus.OK
    assert list(result.json) == ["ok", "url", "checks"]
    assert [list(check) for check in result.json["checks"]] == [
        ["name", "ok", "seconds", "detail"]
    ] * 3
    assert any_server.client.dbsize() == 0


def test_a_full_redis_is_unhealthy(pawsctl: Pawsctl, server: Server) -> None:
    """The bot's next save would fail."""
    server.client.config_set("maxmemory-policy", "noeviction")
    server.client.config_set("maxmemory", 1)
    try:
        result = pawsctl("health")
    finally:
        server.client.config_set("maxmemory", 0)
    assert result.status == ExitStatus.FAILED
    assert "its memory is full" in result.text
    assert result.text.splitlines()[-1] == f"unhealthy: {server.url}"


def test_a_limit_that_no_eviction_can_meet_is_unhealthy(any_server: Server, tmp_path: Path) -> None:
    """Under every policy a save fails with OOM if nothing is left to evict."""
    any_server.client.config_set("maxmemory-policy", "allkeys-lru")
    any_server.client.config_set("maxmemory", "1k")
    try:
        result = Pawsctl(tmp_path, any_server.url)("health")
    finally:
        any_server.client.config_set("maxmemory", 0)
        any_server.client.config_set("maxmemory-policy", "noeviction")
    assert result.status == ExitStatus.FAILED
    assert "✗" in result.text
    assert "its memory is full, and allkeys-lru finds nothing more to evict" in result.text


@pytest.mark.parametrize(
    ("rules", "status", "detail"),
    [
        (["+@all", "-setex", "-@write"], ExitStatus.FAILED, "this user may not write sessions"),
        (["+@all", "-info"], ExitStatus.OK, ""),
        (["+scan", "+get", "+ping", "+setex"], ExitStatus.OK, ""),
    ],
)
def test_what_a_user_may_decides_and_not_what_the_server_could(
    tmp_path: Path, any_server: Server, rules: list[str], status: ExitStatus, detail: str
) -> None:
    """A user who may not run INFO may still write."""
    any_server.client.execute_command("ACL", "SETUSER", "one", "reset", "on", ">x", "~*", *rules)
    try:
        url = any_server.url.replace("//", "//one:x@")
        result = Pawsctl(tmp_path, url)("health", "--json")
    finally:
        any_server.client.execute_command("ACL", "DELUSER", "one")
    assert result.status == status
    assert result.json["checks"][2]["detail"] == detail
    assert any_server.client.dbsize() == 0


def test_a_replica_is_no_place_for_the_bot(tmp_path: Path, server: Server) -> None:
    """It answers, but refuses every write."""
    with servers.running(tmp_path, "--replicaof", f"127.0.0.1 {server.port}") as replica:
        result = Pawsctl(tmp_path, replica.url)("health")
    assert result.status == ExitStatus.FAILED
    assert "it is a replica" in result.text


def test_an_unreachable_redis_is_exit_5(bare_pawsctl: Pawsctl) -> None:
    """No report is printed."""
    result = bare_pawsctl("health", "--json", "--url", "redis://127.0.0.1:1")
    assert result.status == ExitStatus.UNREACHABLE
    assert result.out == b""


def test_only_the_checks_that_are_asked_for_are_made(
    pawsctl: Pawsctl, server: Server, tmp_path: Path
) -> None:
    """A server without slots can't be healthy by them; an unknown check names those there are."""
    result = pawsctl("health", "--only", "writes", "--json", "--junit", "report.xml")
    assert [each["name"] for each in result.json["checks"]] == [
        f"127.0.0.1:{server.port} takes writes"
    ]
    assert 'tests="1" failures="0"' in (tmp_path / "report.xml").read_text()
    both = pawsctl("health", "--only", "may be read,writes", "--json").json["checks"]
    assert [each["name"].split()[1] for each in both] == ["may", "takes"]
    assert pawsctl("health", "--only", "writes,slots").status == ExitStatus.USAGE
    unknown = pawsctl("health", "--only", "write", "--json")
    assert unknown.status == ExitStatus.USAGE
    assert "answers, reads, writes, slots" in unknown.error["message"]


@pytest.mark.parametrize(
    ("rules", "status", "details"),
    [
        ("+get +setex +scan", ExitStatus.OK, ["this user may not send PING", "", ""]),
        ("+ping +get +setex", ExitStatus.OK, ["", "each session by itself: SCAN is", ""]),
        ("+ping +scan +setex", ExitStatus.FAILED, ["", "this user may not read sessions", ""]),
        ("resetkeys ~else:* +@all", ExitStatus.FAILED, ["", "this user may not read", "this user"]),
    ],
)
def test_health_is_what_the_bots_own_commands_find(
    tmp_path: Path, any_server: Server, rules: str, status: ExitStatus, details: list[str]
) -> None:
    """That PING or SCAN is refused stops no bot; that GET is refused stops it."""
    setting = ["reset", "on", ">x", "~wh:session:*", *rules.split()]
    any_server.client.execute_command("ACL", "SETUSER", "one", *setting)
    try:
        result = Pawsctl(tmp_path, any_server.url.replace("//", "//one:x@"))("health", "--json")
    finally:
        any_server.client.execute_command("ACL", "DELUSER", "one")
    assert result.status == status
    found = [each["detail"] for each in result.json["checks"]]
    assert all(
        one.startswith(start) and bool(one) == bool(start)
        for one, start in zip(found, details, strict=True)
    ), found


def test_a_user_without_ping_passes_the_flow(tmp_path: Path, any_server: Server) -> None:
    """The bot sends none either."""
    setting = ["reset", "on", ">x", "~wh:*", "+@all", "-ping"]
    any_server.client.execute_command("ACL", "SETUSER", "one", *setting)
    try:
        result = Pawsctl(tmp_path, any_server.url.replace("//", "//one:x@"))("test-session")
    finally:
        any_server.client.execute_command("ACL", "DELUSER", "one")
    assert result.status == ExitStatus.OK, result.text


@pytest.mark.parametrize("command", [("health", "--wait"), ("test-session", "--retry-for")])
def test_a_check_that_hangs_takes_no_longer_than_the_wait(
    tmp_path: Path, command: tuple[str, str]
) -> None:
    """The timeout of a reply is longer: an orchestrator would have ended the probe by then."""
    with clusters.swallowing() as port:
        pawsctl = Pawsctl(tmp_path, f"redis://127.0.0.1:{port}")
        check = pawsctl.start(*command, "1s", "--timeout", "600")
        _, said = check.communicate(timeout=60)
    assert check.returncode == ExitStatus.UNREACHABLE
    assert b"in time" in said
