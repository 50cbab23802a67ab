"""A server that answers but can't serve: it is loading its data, or has lost its primary."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from pawsctl.errors import ExitStatus
from tests import servers
from tests.cli_runner import Pawsctl
from tests.ports import free_port
from tests.processes import Process, wait_until
from tests.servers import binary

# Loading takes longer than any test: 4,000 keys of 5 ms each.
KEYS = 4_000
DELAY_MICROSECONDS = "5000"


def refuses(port: int, code: str) -> bool:
    """Return whether a GET is refused with that code; the SDK's own client would keep retrying."""
    try:
        with socket.create_connection(("127.0.0.1", port), 10) as connection:
            connection.sendall(b"GET a\r\n")
            return connection.recv(1_000).startswith(b"-" + code.encode())
    except ConnectionRefusedError:
        return False


@pytest.fixture(params=["LOADING", "MASTERDOWN"])
def not_ready(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """The URL of such a server, and the error code that it answers with."""
    path = binary("valkey-server")
    assert path is not None
    options = ["--replicaof", "127.0.0.1 1", "--replica-serve-stale-data", "no"]
    if request.param == "LOADING":
        with servers.running(tmp_path) as server:
            pipe = server.client.pipeline(transaction=False)
            for number in range(KEYS):
                pipe.set(f"wh:session:+{number}", "{}")
            pipe.execute()
            server.client.save()
        options = ["--key-load-delay", DELAY_MICROSECONDS]
        options += ["--loading-process-events-interval-bytes", "1024"]
    process = Process(free_port(), tmp_path / "log")
    process.run([path, "--port", str(process.port), "--dir", str(tmp_path), *options])
    try:
        wait_until(lambda: refuses(process.port, request.param), request.param)
        yield f"redis://127.0.0.1:{process.port}", request.param
    finally:
        process.close()


@pytest.mark.parametrize(
    "command",
    ["session list", "session get +1", "session ttl", "session flush --yes", "test-session"],
)
def test_it_is_a_refusal_whatever_the_command(
    bare_pawsctl: Pawsctl, not_ready: tuple[str, str], command: str
) -> None:
    """Exit 1, as for every refusal by Redis, since it can be reached."""
    url, code = not_ready
    result = bare_pawsctl(*command.split(), "--url", url)
    assert result.status == ExitStatus.FAILED
    if (code, command) == ("MASTERDOWN", "session flush --yes"):
        # A replica that has lost its primary refuses writes because it is a replica.
        code = "READONLY"
    assert code in (result.text + result.err)
    assert ".." not in result.err


def test_health_tells_what_it_found(bare_pawsctl: Pawsctl, not_ready: tuple[str, str]) -> None:
    """It prints a report, not just an error; one cause is one annotation."""
    url, code = not_ready
    result = bare_pawsctl("health", "--json", "--url", url, env={"GITHUB_ACTIONS": "true"})
    assert result.err.count("::error ") == 1, result.err
    assert result.status == ExitStatus.FAILED
    assert result.json["ok"] is False
    assert any(code in each["detail"] for each in result.json["checks"] if not each["ok"])
