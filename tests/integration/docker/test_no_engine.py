"""No Docker Engine: why, with the exit status 6, and what `auto` does instead."""

import os
import shutil
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.needs import skip_or_fail
from tests.stack_fixtures import Stack, embedded

NOWHERE = {"DOCKER_HOST": "unix:///nonexistent/docker.sock"}


@pytest.fixture
def asking(bare_stack: Stack) -> Stack:
    """pawsctl with PAWSCTL_ENGINE=docker."""
    bare_stack.environment["PAWSCTL_ENGINE"] = "docker"
    return bare_stack


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
        ({"DOCKER_HOST": "nonsense"}, "can't be used"),
    ],
    ids=["no-socket", "no-listener", "no-context", "remote-tcp", "remote-ssh", "nonsense"],
)
@pytest.mark.parametrize("command", ["up", "status", "down", "dev"])
def test_asked_for_docker_and_there_is_none(
    asking: Stack, command: str, environment: dict[str, str], words: str
) -> None:
    """Each reason has its sentence."""
    if "DOCKER_CONTEXT" in environment:
        asking.environment.pop("DOCKER_HOST", None)

    done = asking("redis", command, env=environment)

    assert done.status == 6
    assert words in done.err
    assert "→" in done.err


def test_a_current_context_that_does_not_exist_is_an_error(asking: Stack) -> None:
    """The SDK would take the default socket, silently."""
    asking.environment.pop("DOCKER_HOST", None)
    config = asking.folder / ".docker"
    config.mkdir()
    (config / "config.json").write_text('{"currentContext": "gone"}')

    done = asking("redis", "status", env={"DOCKER_CONFIG": str(config)})

    assert done.status == 6
    assert "does not exist" in done.err


def test_an_engine_that_hangs_is_given_up(asking: Stack) -> None:
    """Something accepts the connection and never says a word."""
    path = asking.folder / "hung.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        done = asking("redis", "status", env={"DOCKER_HOST": f"unix://{path}"})

    assert done.status == 6
    assert "does not answer within" in done.err


def test_a_socket_without_permission_says_how_to_get_it() -> None:
    """Another user than root, as who is not in the group `docker`."""
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        skip_or_fail("only root can become another user, with setpriv")
    with socket.socket(socket.AF_UNIX) as listener:
        folder = Path("/tmp") / f"pawsctl-test-{os.getpid()}"  # noqa: S108 - others can enter it
        folder.mkdir(mode=0o755)
        try:
            path = folder / "docker.sock"
            listener.bind(str(path))
            listener.listen()
            path.chmod(stat.S_IRUSR | stat.S_IWUSR)
            done = subprocess.run(
                # As the same Python: what the other user may not read, he need not.
                [sys.executable, "-c", _AS_NOBODY, str(path)],
                capture_output=True,
                text=True,
                check=False,
            )
        finally:
            shutil.rmtree(folder)

    assert done.returncode == 6, done.stderr
    assert "There is no permission to use Docker's socket" in done.stderr
    assert "group 'docker'" in done.stderr


# The interpreter and the package may lie where only root can read: loaded first, then demoted.
_AS_NOBODY = """
import os, sys, tempfile
os.environ.update(
    DOCKER_HOST="unix://" + sys.argv[1], PAWSCTL_ENGINE="docker", PAWSCTL_PROJECT="pawsctl-test-x"
)
from pawsctl.cli import app
from pawsctl.cli.redis import lifecycle, looking
from pawsctl.stack import inspection, operations
from pawsctl.cli import output, stack_events, stack_views
import docker, platformdirs, requests
for module in (inspection, operations, stack_events, stack_views):
    vars(module)
state = tempfile.mkdtemp()
os.chmod(state, 0o777)
os.environ.update(XDG_STATE_HOME=state, HOME=state)
os.chdir("/")
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
sys.exit(app.run(["redis", "status"]))
"""


def test_auto_falls_back_to_the_embedded_server_and_says_why(undecided: Stack) -> None:
    """Whoever has no Docker gets a Redis all the same."""
    done = undecided("redis", "up")

    assert done.status == 0, done.err
    assert "Using the embedded server: No Docker Engine runs at" in done.err
    assert "on the embedded server" in done.text


def test_auto_stays_with_an_embedded_server_that_is_in_use(undecided: Stack) -> None:
    """Docker may come and go: the data is where it was."""
    undecided("redis", "up")
    undecided.environment["DOCKER_HOST"] = os.environ.get(
        "DOCKER_HOST", "unix:///var/run/docker.sock"
    )

    running = undecided("redis", "status", "--json")
    undecided("redis", "stop")
    started = undecided("redis", "start", "--json")

    assert running.json["engine"] == "embedded"
    assert started.json["engine"] == "embedded"


def test_dev_does_not_fall_back(undecided: Stack) -> None:
    """It needs Docker, and says what is the matter with it."""
    done = undecided("redis", "dev")

    assert done.status == 6
    assert "No Docker Engine runs at" in done.err


def test_auto_takes_docker_where_it_answers(docker_stack: Stack) -> None:
    """The first choice."""
    done = docker_stack("redis", "up", "--json", env={"PAWSCTL_ENGINE": "auto"})

    assert done.json["engine"] == "docker"
