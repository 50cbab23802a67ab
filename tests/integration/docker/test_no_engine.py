"""No Docker Engine: the reason, exit status 6, and what `auto` does instead."""

import os
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests import embedded_servers
from tests.stack_fixtures import Stack, embedded

NOWHERE = {"DOCKER_HOST": "unix:///nonexistent/docker.sock"}


@pytest.fixture
def undecided(tmp_path: Path) -> Iterator[Stack]:
    """pawsctl with PAWSCTL_ENGINE=auto on a machine without Docker."""
    with embedded(tmp_path) as stack:
        stack.environment |= {"PAWSCTL_ENGINE": "auto", **NOWHERE}
        yield stack


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        (NOWHERE, "No Docker Engine runs at unix:///nonexistent/docker.sock"),
        ({"DOCKER_HOST": "tcp://127.0.0.1:1"}, "No Docker Engine runs at tcp://127.0.0.1:1"),
        ({"DOCKER_CONTEXT": "no-such-context"}, "'no-such-context' does not exist"),
        ({"DOCKER_HOST": "tcp://192.0.2.1:2375"}, "is on another host"),
        ({"DOCKER_HOST": "ssh://user@192.0.2.1"}, "is on another host"),
        ({"DOCKER_HOST": "192.0.2.1:2375"}, "is on another host"),
        ({"DOCKER_HOST": "nonsense"}, "DOCKER_HOST can't be used: 'nonsense' is no address"),
        ({"DOCKER_HOST": "http://[::1"}, "is no address"),
        ({"DOCKER_HOST": "tcp://127.0.0.1:port"}, "is no address"),
        ({"DOCKER_HOST": "/var/run/docker.sock"}, "is no address"),
        ({"DOCKER_HOST": "fd://"}, "is no address"),
        ({"DOCKER_HOST": "unix:///"}, "is no address"),
        ({"DOCKER_HOST": "ssh://"}, "is no address"),
        ({"DOCKER_HOST": "tcp://me:secret@[x"}, "'tcp://[x' is no address"),
        ({"DOCKER_HOST": f"unix:///{'x' * 120}"}, "longer than 107 bytes"),
        ({"DOCKER_HOST": "tcp://0.0.0.0:1"}, "No Docker Engine runs at tcp://0.0.0.0:1"),
        ({"DOCKER_HOST": "tcp://127.1:1"}, "No Docker Engine runs at tcp://127.1:1"),
        ({"DOCKER_HOST": "tcp://localhost.:1"}, "No Docker Engine runs at tcp://localhost:1"),
    ],
    ids=[
        "no-socket",
        "no-listener",
        "no-context",
        "remote-tcp",
        "remote-ssh",
        "remote-without-scheme",
        "nonsense",
        "half-ipv6",
        "port",
        "path",
        "fd",
        "no-path",
        "no-host",
        "password",
        "long-path",
        "any-address",
        "short-form",
        "final-dot",
    ],
)
@pytest.mark.parametrize("command", ["up", "status"])
def test_asked_for_docker_and_there_is_none(
    asking: Stack, command: str, environment: dict[str, str], words: str
) -> None:
    """Each reason has its own message."""
    if "DOCKER_CONTEXT" in environment:
        asking.environment.pop("DOCKER_HOST", None)

    done = asking("redis", command, env=environment)

    assert done.status == 6
    assert words in done.err
    assert "→" in done.err


def test_a_current_context_that_does_not_exist_is_an_error(asking: Stack) -> None:
    """The SDK would silently use the default socket."""
    asking.environment.pop("DOCKER_HOST", None)
    config = asking.folder / ".docker"
    config.mkdir()
    (config / "config.json").write_text('{"currentContext": "gone"}')

    done = asking("redis", "status", env={"DOCKER_CONFIG": str(config)})

    assert done.status == 6
    assert "does not exist" in done.err


def test_auto_falls_back_to_the_embedded_server_and_says_why(undecided: Stack) -> None:
    """Machines without Docker get a Redis as well."""
    done = undecided("redis", "up")

    assert done.status == 0, done.err
    assert "Using the embedded server: No Docker Engine runs at" in done.err
    assert "on the embedded server" in done.text


def test_auto_stays_with_an_embedded_server_that_is_in_use(undecided: Stack) -> None:
    """Docker may come and go; the data stays where it is."""
    undecided("redis", "up")
    undecided.environment["DOCKER_HOST"] = os.environ.get(
        "DOCKER_HOST", "unix:///var/run/docker.sock"
    )

    running = undecided("redis", "status", "--json")
    undecided("redis", "stop")
    started = undecided("redis", "start", "--json")

    assert running.json["engine"] == "embedded"
    assert started.json["engine"] == "embedded"


def test_auto_stays_with_an_embedded_server_that_crashed(undecided: Stack) -> None:
    """Else its data would seem lost next to an empty container; a power cut is the same."""
    undecided("redis", "up")
    with undecided.client() as client:
        client.set("kept", "1")
        pid = client.info("server")["process_id"]
    embedded_servers.kill(psutil.Process(pid))
    undecided.environment["DOCKER_HOST"] = os.environ.get(
        "DOCKER_HOST", "unix:///var/run/docker.sock"
    )

    down = undecided("redis", "status", "--json")
    up = undecided("redis", "up", "--json")

    assert (down.json["engine"], down.json["services"][0]["state"]) == ("embedded", "exited")
    assert up.json["engine"] == "embedded"
    with undecided.client() as client:
        assert client.get("kept") == b"1"


def test_dev_does_not_fall_back(undecided: Stack) -> None:
    """It needs Docker, and reports what is wrong with it."""
    done = undecided("redis", "dev")

    assert done.status == 6
    assert "No Docker Engine runs at" in done.err


def test_auto_takes_docker_where_it_answers(docker_stack: Stack) -> None:
    """Docker is the first choice."""
    done = docker_stack("redis", "up", "--json", env={"PAWSCTL_ENGINE": "auto"})

    assert done.json["engine"] == "docker"
