"""Fixtures for tests of the topologies: a project of the test's own, on free ports.

Loaded as a pytest plugin, like `tests.stack_fixtures`.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
import redis

from pawsctl.stack.project import layout
from tests import embedded_servers, ports
from tests.cli_runner import Result
from tests.embedded_servers import servers_below
from tests.stack_fixtures import Stack

TOPOLOGIES: tuple[layout.Topology, ...] = ("sentinel", "cluster")
DEADLINE_SECONDS = 30.0


class Topology(Stack):
    """pawsctl with a topology on one of the engines; its commands get `--topology`."""

    def __init__(self, folder: Path, topology: layout.Topology, engine_name: str) -> None:
        prefix = os.environ.get("PAWSCTL_TEST_PREFIX", "pawsctl-test-")
        super().__init__(folder, f"{prefix}{secrets.token_hex(4)}", engine_name)
        self.topology = topology
        self.port = free_base(topology)
        self.environment["REDIS_PORT"] = str(self.port)

    def run(self, command: str, *arguments: str, env: dict[str, str] | None = None) -> Result:
        """Run `pawsctl redis COMMAND --topology …`."""
        return self("redis", command, "--topology", self.topology, *arguments, env=env)

    def up(self, env: dict[str, str] | None = None) -> dict[str, Any]:
        """Run `redis up`, which must succeed."""
        done = self.run("up", "--json", env=env)
        assert done.status == 0, done.err
        found: dict[str, Any] = done.json
        return found

    def status(self, env: dict[str, str] | None = None) -> dict[str, Any]:
        """Return the result of `redis status`."""
        found: dict[str, Any] = self.run("status", "--json", env=env).json
        return found

    def roles(self, env: dict[str, str] | None = None) -> dict[str, str]:
        """Return the role of each service that has one."""
        services = self.status(env)["services"]
        return {each["service"]: each["role"] for each in services if each["role"]}

    def ports_of(self, role: str, env: dict[str, str] | None = None) -> list[int]:
        """Return the ports of all services of a role."""
        services = self.status(env)["services"]
        return [port_of(each) for each in services if each["role"] == role]

    def write(self, key: str, value: str, password: str | None = None) -> None:
        """Store a value on the node that owns the key."""
        for port in self.ports_of("primary", {"REDIS_PASSWORD": password} if password else None):
            with (
                redis.Redis(port=port, password=password, protocol=2) as client,
                # Another primary owns its slot.
                suppress(redis.ResponseError),
            ):
                client.set(key, value)
                return
        raise AssertionError("no primary took it")

    def switch_files_off(
        self, most: int | None = None, *, password: str | None = None
    ) -> list[int]:
        """Switch the append-only files of nodes off, as a client may do; return their ports.

        Of all, or of the first `most`, primaries first.
        """
        found = (self.ports_of("primary") + self.ports_of("replica"))[:most]
        for port in found:
            with redis.Redis(port=port, password=password, protocol=2) as client:
                client.config_set("appendonly", "no")
        return found

    def copies(self, key: str, password: str | None = None) -> list[bytes]:
        """Return a key's values on all nodes, replicas included."""
        found = []
        environment = {"REDIS_PASSWORD": password} if password else None
        for port in self.ports_of("primary", environment) + self.ports_of("replica", environment):
            with redis.Redis(port=port, password=password, protocol=2) as client:
                if self.topology == "cluster":
                    client.execute_command("READONLY")
                with suppress(redis.ResponseError):
                    value = client.get(key)
                    if isinstance(value, bytes):
                        found.append(value)
        return found

    def processes(self) -> list[psutil.Process]:
        """Return the project's embedded servers that run."""
        return servers_below(self.folder / "state")

    def kill(self, port: int) -> None:
        """Kill the embedded server on a port; return when it has ended."""
        for process in self.processes():
            for each in process.net_connections("tcp"):
                if each.status == psutil.CONN_LISTEN and each.laddr.port == port:
                    embedded_servers.kill(process)
                    return
        raise AssertionError(f"nothing listens on {port}")

    def wait_for(
        self, is_so: Callable[[dict[str, Any]], bool], env: dict[str, str] | None = None
    ) -> dict[str, Any]:
        """Return the status as soon as it meets the condition."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not is_so(found := self.status(env)):
            assert time.monotonic() < deadline, found
            # Each look takes a tenth of a second of a processor.
            time.sleep(0.3)
        return found


def port_of(service: dict[str, Any]) -> int:
    """Return the port that clients of a service use."""
    return int(service["ports"][0].rpartition(":")[2])


def free_base(topology: layout.Topology) -> int:
    """Return a REDIS_PORT for which all ports of the topology are free."""
    return ports.free_base(lambda base: map(int, layout.variables(topology, base).values()))


@contextmanager
def embedded_topology(folder: Path, topology: layout.Topology) -> Iterator[Topology]:
    """Yield a topology on the embedded engine; stop everything at the end."""
    made = Topology(folder, topology, "embedded")
    try:
        yield made
    finally:
        # Not psutil's wait, which also waits until the process is reaped.
        while left := made.processes():
            for process in left:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            time.sleep(0.01)


@pytest.fixture(params=TOPOLOGIES)
def topology(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Topology]:
    """Each topology in turn, embedded, not started."""
    with embedded_topology(tmp_path, request.param) as made:
        yield made


@pytest.fixture
def sentinels(tmp_path: Path) -> Iterator[Topology]:
    """The Sentinel topology, embedded, not started."""
    with embedded_topology(tmp_path, "sentinel") as made:
        yield made


@pytest.fixture
def cluster_of_six(tmp_path: Path) -> Iterator[Topology]:
    """The cluster topology, embedded, not started."""
    with embedded_topology(tmp_path, "cluster") as made:
        yield made


@pytest.fixture(scope="module", params=TOPOLOGIES)
def whole(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Topology]:
    """A topology that is up; tests leave it up and whole, with its roles."""
    with embedded_topology(tmp_path_factory.mktemp("whole"), request.param) as made:
        made.up()
        yield made
