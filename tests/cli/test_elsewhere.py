"""A URL of this machine that leads to servers elsewhere, for which 0.0.0.0 stands here."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pawsctl.errors import ExitStatus
from tests import servers
from tests.cli_runner import Pawsctl
from tests.ports import free_port
from tests.processes import Process, wait_until
from tests.servers import Server, binary


@contextmanager
def watched(folder: Path, server: Server) -> Iterator[str]:
    """Yield the URL of a Sentinel on loopback that names the server by another address."""
    port, path = free_port(), binary("valkey-server")
    assert path is not None
    file = folder / "sentinel.conf"
    lines = [f"port {port}", f"dir {folder}", f"sentinel monitor paws 0.0.0.0 {server.port} 1"]
    file.write_text("\n".join(lines) + "\n")
    process = Process(port, folder / "sentinel.log")
    process.run([path, str(file), "--sentinel"])
    try:
        wait_until(process.client.ping, "PONG")
        yield f"redis+sentinel://127.0.0.1:{port}/paws"
    finally:
        process.close()


@pytest.fixture(params=["sentinel", "cluster", "node of a cluster"])
def elsewhere(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Server]]:
    """A URL on loopback, and the server that it leads to by another address."""
    if request.param == "sentinel":
        with servers.running(tmp_path) as server, watched(tmp_path, server) as url:
            yield url, server
        return
    options = ("--cluster-enabled", "yes", "--cluster-announce-ip", "0.0.0.0")
    with servers.running(tmp_path, *options) as server:
        server.client.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16_383)
        wait_until(
            lambda: server.client.execute_command("CLUSTER INFO")["cluster_state"] == "ok",
            "a cluster",
        )
        kind = "redis" if request.param == "node of a cluster" else "redis+cluster"
        yield f"{kind}://127.0.0.1:{server.port}", server


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    ["session flush --yes", "session delete +1", "redis maxmemory 64mb --yes"],
)
def test_it_is_the_servers_that_must_be_named(
    bare_pawsctl: Pawsctl, elsewhere: tuple[str, Server], command: str
) -> None:
    """The Sentinel or node that named them does not count."""
    url, server = elsewhere
    server.client.set("wh:session:+1", "{}")
    refused = bare_pawsctl(*command.split(), "--url", url)
    assert refused.status == ExitStatus.NOT_CONFIRMED
    assert "0.0.0.0 is not this machine" in refused.err
    wrong = bare_pawsctl(*command.split(), "--url", url, "--confirm", "127.0.0.1")
    assert wrong.status == ExitStatus.NOT_CONFIRMED
    assert server.client.dbsize() == 1
    assert server.client.config_get("maxmemory") == {"maxmemory": "0"}
    right = bare_pawsctl(*command.split(), "--url", url, "--confirm", "0.0.0.0")
    assert right.status == ExitStatus.OK


def test_made_up_sessions_stay_on_this_machine(
    bare_pawsctl: Pawsctl, elsewhere: tuple[str, Server]
) -> None:
    """seed also refuses if only the URL is local."""
    url, server = elsewhere
    assert bare_pawsctl("session", "seed", "3", "--url", url).status == ExitStatus.USAGE
    assert server.client.dbsize() == 0


def test_a_development_password_does_not_travel(bare_pawsctl: Pawsctl, tmp_path: Path) -> None:
    """REDIS_PASSWORD is for this machine only, REDISCLI_AUTH for any host."""
    with (
        servers.running(tmp_path, password="hunter2") as server,
        watched(tmp_path, server) as url,
    ):
        own = bare_pawsctl("session", "list", "--url", url, env={"REDIS_PASSWORD": "hunter2"})
        any_host = bare_pawsctl("session", "list", "--url", url, env={"REDISCLI_AUTH": "hunter2"})
    assert own.status == ExitStatus.UNREACHABLE
    assert "asks for a password" in own.err
    assert any_host.status == ExitStatus.OK
