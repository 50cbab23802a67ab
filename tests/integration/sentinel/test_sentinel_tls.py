"""Sentinels and their Redis, one with TLS and the other without."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from pawsctl.errors import ExitStatus
from tests.certificates import Certificates
from tests.cli_runner import Pawsctl
from tests.ports import free_port
from tests.processes import Process, wait_until
from tests.sentinels import SERVICE, Trio
from tests.servers import redis_itself


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    """Certificates for 127.0.0.1."""
    folder = tmp_path / "certificates"
    folder.mkdir()
    return Certificates(folder)


@contextmanager
def pair(
    folder: Path, certificates: Certificates, *, redis_tls: bool, sentinel_tls: bool
) -> Iterator[Process]:
    """Start a primary with one Sentinel; yield the Sentinel."""
    path = redis_itself()
    options = certificates.server_options()
    with ExitStack() as stack:

        def started(name: str, arguments: list[str], *, tls: bool) -> Process:
            port = free_port()
            files = certificates.client_options if tls else {}
            process = Process(port, folder / f"{name}.log", **files)
            ports = ["--port", "0", "--tls-port", str(port)] if tls else ["--port", str(port)]
            process.run([path, *arguments, *ports, *options])
            stack.callback(process.close)
            wait_until(process.client.ping, "PONG")
            return process

        primary = started("primary", ["--dir", str(folder), "--save", ""], tls=redis_tls)
        file = folder / "sentinel.conf"
        replication = "yes" if redis_tls else "no"
        file.write_text(
            f"dir {folder}\ntls-replication {replication}\n"
            + "".join(
                f"{n.removeprefix('--')} {v}\n"
                for n, v in zip(options[::2], options[1::2], strict=True)
            )
            + f"sentinel monitor {SERVICE} 127.0.0.1 {primary.port} 1\n"
        )
        yield started("sentinel", [str(file), "--sentinel"], tls=sentinel_tls)


@pytest.mark.parametrize("redis_tls", [False, True])
def test_one_with_tls_and_the_other_without(
    tmp_path: Path, bare_pawsctl: Pawsctl, certificates: Certificates, redis_tls: bool
) -> None:
    """sentinel_ssl sets it; for every wrong URL, the hint has the right one."""
    sentinel_tls = not redis_tls
    with pair(tmp_path, certificates, redis_tls=redis_tls, sentinel_tls=sentinel_tls) as sentinel:
        scheme = "rediss" if redis_tls else "redis"
        parameters = f"?sentinel_ssl={str(sentinel_tls).lower()}"
        right = f"{scheme}+sentinel://{sentinel.address}/{SERVICE}{parameters}"
        ca = f"ssl_ca_certs={certificates.ca}"
        done = bare_pawsctl("test-session", "--url", f"{right}&{ca}")
        assert done.status == ExitStatus.OK, done.err + done.text
        way = f"{scheme}+sentinel://…/{SERVICE}{parameters}"
        for wrong in ("redis", "rediss"):
            url = f"{wrong}+sentinel://{sentinel.address}/{SERVICE}"
            url += f"?{ca}" if wrong == "rediss" else ""
            limits = ("--timeout", "1", "--failover-timeout", "1")
            failed = bare_pawsctl("session", "list", "--json", "--url", url, *limits)
            assert failed.status == ExitStatus.UNREACHABLE
            assert way in failed.error["hint"], failed.err


@pytest.mark.parametrize("command", ["session list", "health", "session get +1", "redis memory"])
@pytest.mark.parametrize("scheme", ["redis", "redis+cluster"])
def test_a_sentinel_that_is_taken_for_a_redis_is_told(
    trio: Trio, bare_pawsctl: Pawsctl, command: str, scheme: str
) -> None:
    """The hint has the URL that was meant."""
    address = trio.sentinels[0].address
    failed = bare_pawsctl(*command.split(), "--json", "--url", f"{scheme}://{address}")
    assert failed.status == ExitStatus.UNREACHABLE
    assert "is a Sentinel" in failed.error["message"]
    assert f"redis+sentinel://{address}/{SERVICE}" in failed.error["hint"]


def test_a_sentinel_that_does_not_tell_its_role_is_told(trio: Trio, bare_pawsctl: Pawsctl) -> None:
    """HELLO shows that it is a Sentinel."""
    sentinel = trio.sentinels[0]
    sentinel.client.execute_command("ACL", "SETUSER", "default", "-role")
    try:
        failed = bare_pawsctl("session", "list", "--json", "--url", f"redis://{sentinel.address}")
    finally:
        sentinel.client.execute_command("ACL", "SETUSER", "default", "+role")
    assert "is a Sentinel" in failed.error["message"]
    assert f"redis+sentinel://{sentinel.address}/SERVICE" in failed.error["hint"]
