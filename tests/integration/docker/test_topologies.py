"""Topologies on Docker, on the host's network, with docker compose and with pawsctl."""

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

import docker
import pytest
import redis
from docker.models.containers import Container

from pawsctl.connection import probe
from pawsctl.stack.project import layout
from pawsctl.stack.project.mounted_files import compose_file
from tests.docker_fixtures import remove_project
from tests.processes import wait_until
from tests.stack_fixtures import NOTHING, Docker
from tests.standins import engine
from tests.standins.images import REDIS
from tests.topology_fixtures import TOPOLOGIES, Topology

PASSWORD = "s3cret $HOME 'x'"

Compose = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(params=TOPOLOGIES)
def on_docker(
    request: pytest.FixtureRequest, tmp_path: Path, docker_engine: docker.DockerClient
) -> Iterator[Topology]:
    """Each topology in turn, on Docker, not started."""
    made = Topology(tmp_path, request.param, "docker")
    try:
        yield made
    finally:
        remove_project(docker_engine, _project(made))


class Formed(NamedTuple):
    """A topology that is up, from an image that had to be pulled, with what its `up` said."""

    topology: Topology
    view: Docker
    said: str


@pytest.fixture(scope="module", params=TOPOLOGIES)
def formed(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    docker_engine: docker.DockerClient,
    registry: str,
) -> Iterator[Formed]:
    """Each topology in turn, on Docker, with a password; tests leave it whole."""
    made = Topology(tmp_path_factory.mktemp("formed"), request.param, "docker")
    with engine.never_pulled(REDIS.image, registry) as image:
        made.environment |= {"REDIS_IMAGE": image, "REDIS_PASSWORD": PASSWORD}
        try:
            up = made.run("up", "--pull", "always")
            assert up.status == 0, up.err
            yield Formed(made, Docker(docker_engine, _project(made)), up.err)
        finally:
            remove_project(docker_engine, _project(made))


def _project(topology: Topology) -> str:
    return f"{topology.project}-{topology.topology}"


@pytest.fixture
def view(docker_engine: docker.DockerClient, on_docker: Topology) -> Docker:
    """The engine's view of the test's project."""
    return Docker(docker_engine, _project(on_docker))


@pytest.fixture
def docker_compose(compose: Path, on_docker: Topology, tmp_path: Path) -> Compose:
    """Run docker compose on the topology's unchanged file, with free ports and a password."""
    files = tmp_path / "files"
    files.mkdir()
    (files / "redis.conf").write_text(f'requirepass "{PASSWORD}"\nmasterauth "{PASSWORD}"\n')
    (files / "redis_password").write_text(PASSWORD)
    environment = {
        **on_docker.environment,
        **layout.variables(on_docker.topology, on_docker.port),
        "PAWSCTL_FILES": str(files),
    }

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [compose, "-f", compose_file(on_docker.topology), *arguments],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done

    return run


@pytest.mark.slow(20)
def test_it_lives_through_a_drill_and_down_and_up(on_docker: Topology, view: Docker) -> None:
    """Formed, failed over, taken down, and up again with its data and as many primaries."""
    up = on_docker.up()
    assert {each["action"] for each in up["services"]} == {"created"}
    assert on_docker.status()["problems"] == []
    assert {each["action"] for each in on_docker.up()["services"]} == {"running"}
    on_docker.write("kept", "1")

    drill = on_docker.run("failover", "--json")
    assert drill.status == (0 if drill.json["lost"] == 0 else 1), drill.err
    roles = on_docker.roles()
    assert roles[drill.json["promoted"]] == "primary"
    assert roles[drill.json["primary"]] == "replica"

    on_docker.switch_files_off()
    on_docker.write("later", "2")
    down = on_docker.run("down")
    assert down.status == 0, down.err
    assert view.names()["containers"] == []
    on_docker.up()
    # On a slow machine a replica may take over from a primary that is stopped before it.
    assert sorted(on_docker.roles().values()) == sorted(roles.values())
    for key, value in {"kept": b"1", "later": b"2"}.items():
        assert value in on_docker.copies(key)
    down = on_docker.run("down", "--volumes", "--yes")

    assert down.status == 0, down.err
    assert view.names() == NOTHING


@pytest.mark.slow(20)
def test_docker_compose_forms_it_and_pawsctl_takes_it_as_its_own(
    on_docker: Topology, view: Docker, docker_compose: Compose
) -> None:
    """`docker compose up -d` twice, with a password; then status and down by pawsctl."""
    environment = {"REDIS_PASSWORD": PASSWORD}
    docker_compose("up", "-d")
    docker_compose("up", "-d")

    on_docker.wait_for(lambda found: found["problems"] == [], environment)
    on_docker.write("kept", "1", PASSWORD)
    with _probes(view) as probes:
        up = on_docker.up(environment)
    assert b"1" in on_docker.copies("kept", PASSWORD)
    inspected = json.dumps([each.attrs for each in _containers(view)])

    # Compose mounts its own files with the password.
    assert {tuple(each["changed"]) for each in up["services"]} == {("secrets",)}
    assert "s3cret" not in inspected
    # One for all nodes, and one for all Sentinels: those mount other files.
    assert len(probes) == (1 if on_docker.topology == "cluster" else 2)
    docker_compose("down", "--volumes")
    assert view.names() == NOTHING


@contextmanager
def _probes(view: Docker) -> Iterator[list[str]]:
    """Collect the names of containers that are created in the block to look at the engine's files.

    They are heard of at once: the engine remembers only its last 256 events, of all projects.
    """
    filters = {"type": ["container", "network"], "event": "create"}
    events = view.api.events(since=int(time.time()), filters=filters, decode=True)
    heard = (each["Actor"]["Attributes"]["name"] for each in events)
    found: list[str] = []
    yield found
    end = f"{view.project}_end"
    network = view.api.networks.create(end)
    found += [
        each
        for each in iter(heard.__next__, end)
        if each.endswith("_probe") and view.project in each
    ]
    events.close()
    network.remove()


def _says_pong(container: Container, command: list[str]) -> bool:
    done = container.exec_run(command)
    return (done.exit_code, done.output) == (0, b"PONG\n")


def test_the_health_checks_log_in(formed: Formed) -> None:
    """Each on its own port, with the password, which appears nowhere."""
    for container in _containers(formed.view):
        check = container.attrs["Config"]["Healthcheck"]["Test"]
        assert check[0] == "CMD"
        # Docker may lose what a command prints that ends at once.
        wait_until(partial(_says_pong, container, check[1:]), f"{container.name} says PONG")
        assert "s3cret" not in json.dumps(container.attrs) + json.dumps(container.top())


def test_no_node_listens_beyond_this_machine(formed: Formed) -> None:
    """On the host network's other addresses nothing answers."""
    url = formed.topology.status()["url"]
    port = int(url.partition("://")[2].partition(",")[0].rpartition(":")[2])

    # A Sentinel asks for no password.
    assert probe.ping(port, PASSWORD if formed.topology.topology == "cluster" else None) == ""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as outward:
        # Sends nothing: it finds this machine's address on the way to other hosts.
        outward.connect(("192.0.2.1", 9))
        address = outward.getsockname()[0]
    with socket.socket() as client:
        assert client.connect_ex((address, port)) != 0


def test_a_port_in_use_names_the_process_and_leaves_nothing(
    on_docker: Topology, view: Docker
) -> None:
    """On the host's network Docker itself would not notice."""
    port = int(on_docker.status()["url"].partition("/paws")[0].rpartition(":")[2])
    # create_server sets SO_REUSEADDR: connections of an earlier server may linger on the port.
    with socket.create_server(("127.0.0.1", port)):
        done = on_docker.run("up")

    assert done.status == 7
    assert f"Port {port} on 127.0.0.1 is in use by" in done.err
    assert f"(process {os.getpid()})" in done.err
    assert view.names() == NOTHING


def test_an_image_is_pulled_once_for_all_that_run_it(formed: Formed) -> None:
    """Six servers need one download."""
    assert formed.said.count(f"Pulling {formed.topology.environment['REDIS_IMAGE']}\n") == 1


def test_a_node_whose_file_was_switched_off_is_replaced_with_its_data(formed: Formed) -> None:
    """It hands over to nobody: the file is written where its successor reads it."""
    topology = formed.topology
    topology.write("kept", "1", PASSWORD)
    (port,) = topology.switch_files_off(1, password=PASSWORD)
    with redis.Redis(port=port, password=PASSWORD, protocol=2) as client:
        before = client.dbsize()

    up = topology.up()

    changed = [each["changed"] for each in up["services"] if each["action"] == "recreated"]
    assert changed == [["volumes"]]
    with redis.Redis(port=port, password=PASSWORD, protocol=2) as client:
        assert client.dbsize() == before
        assert client.config_get("appendonly")["appendonly"] == "yes"


def test_a_reset_finds_its_own_ports_free(formed: Formed) -> None:
    """On the host's network, Docker publishes no ports."""
    done = formed.topology.run("reset", "--yes", "--no-backup", "--json")

    assert done.status == 0, done.err
    assert {each["action"] for each in done.json["services"]} == {"created"}


@pytest.mark.parametrize("delay", [0, 1])
def test_an_interrupted_up_leaves_all_or_nothing(
    on_docker: Topology, view: Docker, delay: float
) -> None:
    """While containers start, and while they find each other."""
    up = on_docker.start("redis", "up", "--topology", on_docker.topology)
    wait_until(lambda: view.names() != NOTHING or up.poll() is not None, "it makes something")
    time.sleep(delay)
    up.send_signal(signal.SIGINT)
    up.communicate(timeout=60)

    if up.returncode == 0:
        assert on_docker.status()["problems"] == []
    else:
        assert (up.returncode, view.names()) == (130, NOTHING)


def _containers(view: Docker) -> list[Container]:
    names = view.names()["containers"]
    assert len(names) == 6
    return [view.api.containers.get(name) for name in names]
