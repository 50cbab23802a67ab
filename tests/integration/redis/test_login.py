"""Passwords, ACL users, databases and sockets; and servers that accept and never answer."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from pawsctl.errors import ExitStatus
from tests import clusters, servers
from tests.cli_runner import Pawsctl, Result
from tests.servers import Server

PASSWORD = "s3cret"

# The rights of a read-only operator, as in docs/production.md.
READ_ONLY = ("~wh:session:*", "-@all", "+scan", "+get", "+mget", "+pttl", "+type")
READ_ONLY_IN_A_CLUSTER = ("+cluster|slots", "+cluster|nodes", "+cluster|getkeysinslot", "+asking")


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with a password, also on a Unix socket."""
    folder = tmp_path_factory.mktemp("guarded")
    options = ("--unixsocket", str(folder / "redis.sock"))
    with servers.running(folder, *options, password=PASSWORD) as server:
        server.client.acl_setuser(
            "operator", enabled=True, reset=True, passwords=["++0per"], keys=["wh:session:*"],
            commands=[*(each for each in READ_ONLY if not each.startswith(("~", "-"))), "+ping"],
        )  # fmt: skip
        server.client.set("wh:session:+1", b"{}", ex=100)
        yield server


def listed(pawsctl: Pawsctl, url: str, *options: str, **env: str) -> Result:
    """Run `session list` on that URL."""
    return pawsctl("session", "list", "--json", "--url", url, *options, env=env)


def test_a_password(bare_pawsctl: Pawsctl, guarded: Server, tmp_path: Path) -> None:
    """From the URL, from redis-cli's variable, from a file."""
    host = f"127.0.0.1:{guarded.port}"
    (tmp_path / "password").write_text(PASSWORD + "\n")
    assert listed(bare_pawsctl, f"redis://:{PASSWORD}@{host}").status == ExitStatus.OK
    assert listed(bare_pawsctl, f"redis://{host}", REDISCLI_AUTH=PASSWORD).status == ExitStatus.OK
    file = str(tmp_path / "password")
    assert listed(bare_pawsctl, f"redis://{host}", REDIS_PASSWORD_FILE=file).status == ExitStatus.OK


@pytest.mark.parametrize("login", ["", ":wr0ng@", f"nobody:{PASSWORD}@"])
def test_a_login_that_is_refused(bare_pawsctl: Pawsctl, guarded: Server, login: str) -> None:
    """No password, a wrong one, an unknown user: exit 5, and the password is not shown."""
    result = listed(bare_pawsctl, f"redis://{login}127.0.0.1:{guarded.port}")
    assert (result.status, result.error["code"]) == (ExitStatus.UNREACHABLE, "login-refused")
    assert "wr0ng" not in result.err
    assert PASSWORD not in result.err


def test_a_password_that_nobody_asks_for(bare_pawsctl: Pawsctl, any_server: Server) -> None:
    """A server without a password is used, as redis-cli does, with a notice."""
    result = listed(bare_pawsctl, f"redis://:{PASSWORD}@127.0.0.1:{any_server.port}")
    assert (result.status, result.json) == (ExitStatus.OK, [])
    assert "asks for no password" in result.err
    assert PASSWORD not in result.err


def test_a_read_only_operator(bare_pawsctl: Pawsctl, guarded: Server) -> None:
    """An ACL user that may only read sessions, and may not even run a script."""
    url = f"redis://operator:+0per@127.0.0.1:{guarded.port}"
    assert [each["phone"] for each in listed(bare_pawsctl, url).json] == ["+1"]
    assert bare_pawsctl("session", "get", "+1", "--url", url).status == ExitStatus.OK
    assert bare_pawsctl("session", "ttl", "--url", url).status == ExitStatus.OK
    flushed = bare_pawsctl("session", "flush", "--yes", "--json", "--url", url)
    assert flushed.status == ExitStatus.FAILED
    assert "NOPERM" in flushed.error["message"]
    assert guarded.client.exists("wh:session:+1")


def test_a_read_only_operator_of_a_cluster(
    bare_pawsctl: Pawsctl, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The same user, who may also ask for the slots."""
    with clusters.running(tmp_path_factory.mktemp("acl"), replicas=0) as cluster:
        for primary in cluster.primaries:
            primary.client.execute_command(
                "ACL", "SETUSER", "operator", "on", ">+0per", *READ_ONLY, *READ_ONLY_IN_A_CLUSTER
            )
        phones = cluster.seed(2_000)
        movable = cluster.slots_of(0)[:20]
        for slot in movable:
            cluster.begin_move(slot, cluster.primaries[0], cluster.primaries[1])
            cluster.move_keys(slot, cluster.primaries[0], cluster.primaries[1], limit=1)
        url = cluster.url.replace("://", "://operator:+0per@")
        result = listed(bare_pawsctl, url)
        assert result.status == ExitStatus.OK, result.err
        assert {each["phone"] for each in result.json} == phones
        assert len(result.json) == len(phones)


def test_a_unix_socket(bare_pawsctl: Pawsctl, guarded: Server, tmp_path: Path) -> None:
    """With its password; if no one listens, the path is named."""
    path = str(guarded.client.config_get("unixsocket")["unixsocket"])
    result = listed(bare_pawsctl, f"unix://:{PASSWORD}@{path}")
    assert [each["phone"] for each in result.json] == ["+1"]
    missing = listed(bare_pawsctl, f"unix://{tmp_path}/none.sock")
    assert missing.status == ExitStatus.UNREACHABLE
    assert f"{tmp_path}/none.sock" in missing.error["message"]


def test_a_database(bare_pawsctl: Pawsctl, server: Server) -> None:
    """-n takes precedence over the URL; a missing database is an error."""
    with redis.Redis(port=server.port, db=3) as third:
        third.set("wh:session:+3", b"{}", ex=100)
        assert [each["phone"] for each in listed(bare_pawsctl, f"{server.url}/3").json] == ["+3"]
        for options in (["-n", "3"], ["--db", "3"]):
            found = listed(bare_pawsctl, f"{server.url}/5", *options)
            assert [each["phone"] for each in found.json] == ["+3"]
        third.flushdb()
    beyond = listed(bare_pawsctl, server.url, "-n", "9999")
    assert beyond.status == ExitStatus.FAILED
    assert "has no database 9999." in beyond.error["message"]


@pytest.mark.parametrize("command", ["session list", "session get +1", "test-session"])
def test_a_server_that_swallows_packets(bare_pawsctl: Pawsctl, command: str) -> None:
    """It accepts connections and never answers: the command ends after its timeout."""
    with clusters.swallowing() as port:
        url = f"redis://127.0.0.1:{port}"
        result = bare_pawsctl(
            *command.split(), "--json", "--url", url, "--timeout", "0.5", timeout=20
        )
    assert result.status == ExitStatus.UNREACHABLE
    assert "did not answer in time" in result.error["message"]


def test_a_login_that_is_swallowed(bare_pawsctl: Pawsctl) -> None:
    """The first reply that the command waits for is that to AUTH."""
    with clusters.swallowing() as port:
        result = listed(bare_pawsctl, f"redis://:x@127.0.0.1:{port}", "--timeout", "0.5")
    assert result.status == ExitStatus.UNREACHABLE


def test_connections_that_are_not_taken(bare_pawsctl: Pawsctl) -> None:
    """The queue is full: SYN packets are dropped, and --connect-timeout applies."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        port = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            result = listed(bare_pawsctl, f"redis://127.0.0.1:{port}", "--connect-timeout", "0.5")
    assert result.status == ExitStatus.UNREACHABLE
    assert "in time" in result.error["message"]
