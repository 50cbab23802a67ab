"""localhost may lead to [::1] instead of 127.0.0.1, and so to another server."""

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest

from pawsctl.errors import ExitStatus
from tests import servers
from tests.servers import Server
from tests.stack_fixtures import Stack


@pytest.fixture
def other(stack: Stack, tmp_path: Path) -> Iterator[Server]:
    """Another Redis on [::1], at the port that the project's own has on 127.0.0.1."""
    folder = tmp_path / "other"
    folder.mkdir()
    with servers.running(folder, host="::1", port=stack.port) as server:
        server.client.set("wh:session:+666", "somebody else's")
        yield server


def test_what_runs_here_is_reached_where_it_listens(stack: Stack, other: Server) -> None:
    """By every command without a given URL; the other server is neither read nor changed."""
    up = stack("redis", "up", "--json")
    assert up.status == ExitStatus.OK, up.err
    assert up.json["url"] == f"redis://127.0.0.1:{stack.port}"
    with stack.client() as client:
        client.set("wh:session:+1", "ours", ex=3_600)
    assert [each["phone"] for each in stack("session", "list", "--json").json] == ["+1"]
    reset = stack("redis", "reset", "--yes", "--json")
    assert "Exported 1 session" in reset.err
    assert "+1" in gzip.decompress(Path(reset.json["backup"]).read_bytes()).decode()
    assert stack("session", "import", reset.json["backup"]).status == ExitStatus.OK
    assert stack("session", "flush", "--yes", "--json").json["deleted"] == 1
    assert other.client.get("wh:session:+666") == b"somebody else's"
    assert "localhost" not in up.err


def test_a_url_that_means_two_servers_is_told(stack: Stack, other: Server) -> None:
    """`redis up` and doctor warn, until the URL says which server is meant."""
    assert other.client.ping()
    name = {"REDIS_URL": f"redis://localhost:{stack.port}"}
    up = stack("redis", "up", env=name)
    assert up.status == ExitStatus.OK, up.err
    told = f"localhost:{stack.port} can mean two servers: 127.0.0.1:{stack.port} and [::1]"
    assert told in up.err
    findings = stack("doctor", "--json", env=name).json["findings"]
    (finding,) = [each for each in findings if each["name"] == "localhost"]
    assert (finding["state"], told in finding["detail"]) == ("warning", True)
    number = {"REDIS_URL": f"redis://127.0.0.1:{stack.port}"}
    assert "two servers" not in stack("redis", "up", env=number).err
    assert "two servers" not in stack("doctor", env=number).text


def test_one_server_on_both_is_one(bare_stack: Stack, tmp_path: Path) -> None:
    """Most servers that listen on all addresses are; with a password, too."""
    with servers.running(
        tmp_path, "--bind", "127.0.0.1", "::1", password="x", port=bare_stack.port
    ):
        url = f"redis://:x@localhost:{bare_stack.port}"
        found = bare_stack("doctor", "--json", "--url", url).json["findings"]
        assert "localhost" not in [each["name"] for each in found]
    with servers.running(tmp_path, host="::1", port=bare_stack.port):
        found = bare_stack("doctor", "--json", "--url", url).json["findings"]
        assert "localhost" not in [each["name"] for each in found]


def test_two_servers_are_told_apart_by_what_they_refuse(bare_stack: Stack, tmp_path: Path) -> None:
    """They differ if only one of them, whichever it is, accepts the URL's login."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with (
        servers.running(tmp_path / "a", "--bind", "127.0.0.1", password="x", port=bare_stack.port),
        servers.running(tmp_path / "b", host="::1", password="y", port=bare_stack.port),
    ):
        for login in ("", ":x@", ":y@"):
            url = f"redis://{login}localhost:{bare_stack.port}"
            found = bare_stack("doctor", "--json", "--url", url).json["findings"]
            assert ("localhost" in [each["name"] for each in found]) == (login != "")


def test_what_listens_on_another_loopback_is_not_this_projects(bare_stack: Stack) -> None:
    """`redis up` publishes on 127.0.0.1, and takes no port from a URL with ::1."""
    env = {"REDIS_URL": f"redis://[::1]:{bare_stack.port}", "REDIS_PORT": ""}
    assert bare_stack("redis", "status", "--json", env=env).json["url"] == "redis://127.0.0.1:6379"
    failed = bare_stack("session", "list", "--json", env=env)
    assert "redis up" not in failed.error["hint"]
