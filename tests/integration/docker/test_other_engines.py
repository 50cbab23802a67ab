"""Unusual engines: Podman, no memory cgroup, no logs, no free addresses."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import docker
import pytest

from tests.needs import skip_or_fail
from tests.second_engine import give_image, second_engine
from tests.stack_fixtures import Stack

REDIS = "redis:7.2-alpine"
PODMAN = """
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=2048:2048"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "runc"
[network]
network_backend = "{backend}"
"""
COMMANDER = "ghcr.io/joeferner/redis-commander:latest"
# How long the kernel remembers an ended connection: two minutes, unless told otherwise.
REMEMBERED = Path("/proc/sys/net/netfilter/nf_conntrack_tcp_timeout_time_wait")


@pytest.fixture(scope="module")
def firewall() -> Iterator[None]:
    """Have no rules of Podman stay, and the kernel forget connections early in the meantime.

    With such rules it tracks every connection on the machine, those of other tests too, and each
    container that ends has Docker read them all: a tenth of a second for ten thousand.
    """
    if sys.platform != "linux" or os.geteuid() != 0 or not shutil.which("podman"):
        skip_or_fail("podman is not installed, or this is not root on Linux")
    seconds = REMEMBERED.read_text() if REMEMBERED.exists() else ""
    if seconds:
        REMEMBERED.write_text("1")
    try:
        yield
    finally:
        if seconds:
            REMEMBERED.write_text(seconds)
        for table in ("nat", "filter") if not any(map(_is_of_a_network, _rules("nat"))) else ():
            rules = _rules(table)
            for made, removed in (("-A", "-D"), ("-N", "-X")):
                for _, *rest in (each for each in rules if each[0] == made):
                    subprocess.run(["iptables", "-w", "-t", table, removed, *rest], check=True)


def _rules(table: str) -> list[list[str]]:
    """Return the rules and chains of Podman's netavark, as arguments of iptables."""
    if not shutil.which("iptables"):
        return []
    listed = subprocess.run(
        ["iptables", "-w", "-t", table, "-S"], capture_output=True, text=True, check=True
    )
    return [shlex.split(line) for line in listed.stdout.splitlines() if "NETAVARK" in line]


def _is_of_a_network(rule: list[str]) -> bool:
    """Return whether a rule belongs to a network that is in use: somebody else's."""
    return any(re.fullmatch("NETAVARK-(DN-)?[0-9A-F]{9,}", word) for word in rule)


@contextmanager
def _stack_on(address: str, folder: Path, project: str) -> Iterator[Stack]:
    stack = Stack(folder, project, "docker")
    stack.environment["DOCKER_HOST"] = address
    try:
        yield stack
    finally:
        stack("redis", "down", "--volumes", "--yes")


@pytest.fixture(scope="module")
def podman(docker_engine: docker.DockerClient, firewall: None) -> Iterator[str]:
    """The address of Podman's service, which speaks Docker's API."""
    folder = Path(tempfile.mkdtemp(prefix="pawsctl-test-podman-", dir="/var/tmp"))
    has_names = all(
        Path(f"/usr/lib/podman/{each}").exists() for each in ("netavark", "aardvark-dns")
    )
    backend = "netavark" if has_names else "cni"
    (folder / "containers.conf").write_text(PODMAN.replace("{backend}", backend))
    address = f"unix://{folder}/podman.sock"
    base = ["podman", "--root", f"{folder}/root", "--runroot", f"{folder}/run"]
    # An overlay can't lie on an overlay, as in a container; copies of all layers take longer.
    kind = subprocess.run(["stat", "-f", "-c", "%T", folder], capture_output=True, check=True)
    driver = "vfs" if kind.stdout.startswith(b"overlay") else "overlay"
    environment = {**os.environ, "CONTAINERS_CONF": f"{folder}/containers.conf"}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*base, f"--storage-driver={driver}", "system", "service", "--time=0", address],
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + 30
        while not (folder / "podman.sock").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        give_image(REDIS, address)
        if has_names:
            give_image(COMMANDER, address)
        yield address
    finally:
        process.terminate()
        process.wait()
        # Podman mounts this on itself, and leaves it so.
        subprocess.run(["umount", f"{folder}/root/overlay"], capture_output=True, check=False)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.slow(20)
def test_podman_does_all_that_docker_does(podman: str, tmp_path: Path, project: str) -> None:
    """All commands run one after the other; repeating one changes nothing."""
    listed = subprocess.run(
        ["docker", "-H", podman, "images", "-q", COMMANDER], capture_output=True, check=True
    )
    if not listed.stdout:
        skip_or_fail("podman has no names for containers: netavark or aardvark-dns is missing")
    with _stack_on(podman, tmp_path, project) as stack:
        created = stack("redis", "dev", "--json")
        if "no such network interface" in created.err:
            # Go lists the machine's interfaces and asks for each: one of another engine has gone.
            created = stack("redis", "dev", "--json")
        again = stack("redis", "dev", "--json")
        done = {
            "cli": stack("redis", "cli", "PING"),
            "logs": stack("redis", "logs", "redis"),
            "doctor": stack("doctor"),
            "restart": stack("redis", "restart"),
            "reset": stack("redis", "reset", "--yes"),
        }
        last = stack("redis", "dev", "--json")
        down = stack("redis", "down")
        absent = stack("redis", "status", "--json")

    assert created.status == 0, created.err
    assert {each["action"] for each in created.json["services"]} == {"created"}
    assert {each["action"] for each in again.json["services"]} == {"running"}
    assert {name: each.status for name, each in done.items()} == dict.fromkeys(done, 0), done
    assert "PONG" in done["cli"].text
    assert "Ready to accept connections" in done["logs"].text
    assert {each["action"] for each in last.json["services"]} == {"running"}
    assert down.status == 0, down.err
    assert absent.json["services"][0]["state"] == "absent"


def test_podman_is_an_engine_like_another(podman: str, tmp_path: Path, project: str) -> None:
    """Running containers are left alone, though Podman describes them differently."""
    with _stack_on(podman, tmp_path, project) as stack:
        stack.environment["REDIS_IMAGE"] = f"localhost/{REDIS}"
        created = stack("redis", "up")
        with stack.client() as client:
            client.set("kept", "1")
        again = stack("redis", "up", "--json")
        stopped = stack("redis", "stop")
        status = stack("redis", "status", "--json")
        started = stack("redis", "start", "--json")
        changed = stack("redis", "up", "--json", env={"REDIS_MAXMEMORY": "128mb"})
        with stack.client() as client:
            assert client.get("kept") == b"1"
        passworded = stack("redis", "up", "--json", env={"REDIS_PASSWORD": "secret"})
        same = stack("redis", "up", "--json", env={"REDIS_PASSWORD": "secret"})
        removed = stack("redis", "down", "--volumes", "--yes")

    assert created.status == 0, created.err
    assert again.json["services"][0]["action"] == "running"
    assert stopped.status == 0
    assert status.json["services"][0]["state"] == "exited"
    assert status.json["services"][0]["ports"] == []
    assert started.json["services"][0]["action"] == "started"
    assert changed.json["services"][0]["changed"] == ["maxmemory"]
    assert set(passworded.json["services"][0]["changed"]) == {"maxmemory", "password"}
    assert same.json["services"][0]["action"] == "running"
    assert removed.status == 0


def test_an_engine_without_memory_cgroup(
    docker_engine: docker.DockerClient, tmp_path: Path, project: str
) -> None:
    """It drops the requested limit, which does not count as a change."""
    if not Path("/sys/fs/cgroup/memory").is_dir():
        skip_or_fail("only cgroups v1 can lack the memory controller alone")
    with (
        second_engine(images=(REDIS,), unmounted=("/sys/fs/cgroup/memory",)) as address,
        _stack_on(address, tmp_path, project) as stack,
    ):
        created = stack("redis", "up")
        again = stack("redis", "up")

        assert created.status == 0, created.err
        assert "Recreating" not in again.err
        assert "already running" in again.text


def test_no_addresses_left(
    docker_engine: docker.DockerClient, tmp_path: Path, project: str
) -> None:
    """Unused networks have taken them all."""
    pool = "--default-address-pool=base=10.214.0.0/30,size=30"
    with (
        second_engine(pool, images=(REDIS,)) as address,
        _stack_on(address, tmp_path, project) as stack,
    ):
        subprocess.run(
            ["docker", "-H", address, "network", "create", "taken"], check=True, capture_output=True
        )
        done = stack("redis", "up")
        subprocess.run(["docker", "-H", address, "network", "rm", "taken"], check=True)

        assert done.status == 1
        assert "address pool" in done.err
        assert "docker network prune" in done.err
        assert stack("redis", "up").status == 0


def test_an_engine_that_keeps_no_logs(
    docker_engine: docker.DockerClient, tmp_path: Path, project: str, crashing_image: str
) -> None:
    """`logs` says so, and how to get logs; a failure says that there is no log to show."""
    with (
        second_engine("--log-driver=none", images=(REDIS, crashing_image)) as address,
        _stack_on(address, tmp_path, project) as stack,
    ):
        crashed = stack("redis", "up", env={"REDIS_IMAGE": crashing_image})
        up = stack("redis", "up")
        logs = stack("redis", "logs")
        followed = stack("redis", "logs", "-f")

    assert crashed.status == 1
    assert "exited with status 3" in crashed.err
    assert "log" in crashed.err.split("→")[1]
    assert up.status == 0
    for each in (logs, followed):
        assert each.status == 1
        assert "does not support reading" in each.err
        assert "log-driver" in each.err
