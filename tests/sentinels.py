"""A real Sentinel trio for tests: a primary, two replicas, three Sentinels, on free ports."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, cast

from tests.ports import free_port
from tests.processes import Process, wait_until
from tests.servers import required, store_many

SERVICE = "paws"


class Trio:
    """`servers` (the first started as primary) and the `sentinels` that monitor them."""

    def __init__(self, servers: Sequence[Process], sentinels: Sequence[Process]) -> None:
        self.servers = servers
        self.sentinels = sentinels

    @property
    def url(self) -> str:
        """A URL that names every Sentinel."""
        return self.url_of(",".join(sentinel.address for sentinel in self.sentinels))

    def url_of(self, hosts: str, *, login: str = "", query: str = "") -> str:
        """Return a URL that names these Sentinels."""
        return f"redis+sentinel://{login}{hosts}/{SERVICE}{query}"

    @property
    def primary(self) -> Process:
        """Return the server that is the primary now."""
        return next(
            server
            for server in self.servers
            if server.process.poll() is None and server.client.role()[0] == b"master"
        )

    def seed(self, sessions: int) -> set[str]:
        """Write `count` sessions, wait until the replicas have them, and return their phones."""
        value = b'{"status":"active","messages":[{"role":"user","content":"Hola"}],"updatedAt":1}'
        phones = [f"+{10**10 + number}" for number in range(sessions)]
        client = self.primary.client
        store_many(client, [f"wh:session:{phone}".encode() for phone in phones], value)
        client.wait(len(self.servers) - 1, 10_000)
        return set(phones)

    def is_sound(self) -> bool:
        """Return whether replicas are in sync and each Sentinel knows them and the others."""
        links = [server.client.info("replication") for server in self.servers[1:]]
        states = [
            cast(dict[str, Any], sentinel.client.sentinel_master(SERVICE))
            for sentinel in self.sentinels
        ]
        return all(link.get("master_link_status") == "up" for link in links) and all(
            state["num-slaves"] == len(self.servers) - 1
            and state["num-other-sentinels"] == len(self.sentinels) - 1
            for state in states
        )


@contextmanager
def running(
    folder: Path, *, password: str = "", sentinel_password: str = "", failover: bool = True
) -> Iterator[Trio]:
    """Yield a sound trio; kill it at the end. Without `failover`, no replica takes over."""
    path = required("valkey-server")
    with ExitStack() as stack:

        def started(name: str, port: int, arguments: Sequence[str], secret: str) -> Process:
            process = Process(port, folder / f"{name}.log", password=secret or None)
            process.run([path, *arguments])
            stack.callback(process.close)
            return process

        servers: list[Process] = []
        for number in range(3):
            port = free_port()
            data = folder / f"data{number}"
            data.mkdir()
            options = ["--port", str(port), "--dir", str(data), "--save", ""]
            options += ["--repl-diskless-sync-delay", "0"]
            if password:
                options += ["--requirepass", password, "--masterauth", password]
            if servers:
                options += ["--replicaof", "127.0.0.1", str(servers[0].port)]
            servers.append(started(f"server{number}", port, options, password))
        wait_until(lambda: all(server.client.ping() for server in servers), "PONG")
        sentinels = []
        for number in range(3):
            port = free_port()
            file = folder / f"sentinel{number}.conf"
            lines = [
                f"port {port}",
                f"dir {folder}",
                f"sentinel monitor {SERVICE} 127.0.0.1 {servers[0].port} 2",
                f"sentinel down-after-milliseconds {SERVICE} {1_000 if failover else 600_000}",
                f"sentinel failover-timeout {SERVICE} 5000",
            ]
            if password:
                lines.append(f"sentinel auth-pass {SERVICE} {password}")
            if sentinel_password:
                lines += [
                    f"requirepass {sentinel_password}",
                    f"sentinel sentinel-pass {sentinel_password}",
                ]
            file.write_text("\n".join(lines) + "\n")
            sentinels.append(
                started(f"sentinel{number}", port, [str(file), "--sentinel"], sentinel_password)
            )
        trio = Trio(servers, sentinels)
        wait_until(trio.is_sound, "a Sentinel trio")
        yield trio
