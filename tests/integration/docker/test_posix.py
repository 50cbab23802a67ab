"""Docker's Unix socket, and a terminal: what a test can only make on Linux and macOS."""

import os
import re
import shutil
import socket
import stat
import subprocess
import sys
from pathlib import Path

from tests.needs import skip_or_fail
from tests.stack_fixtures import Stack

# conftest.py keeps this from being collected there.
assert sys.platform != "win32"


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
    if os.geteuid() != 0:
        skip_or_fail("only root can become another user")
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


# The interpreter and the package may lie where only root can read: a first run, in which no engine
# is there, loads all that the second one needs.
_AS_NOBODY = """
import os, sys, tempfile
from pawsctl.cli import app

def place(socket):
    state = tempfile.mkdtemp()
    os.chmod(state, 0o777)
    os.environ.update(XDG_STATE_HOME=state, HOME=state, DOCKER_HOST="unix://" + socket)

os.environ.update(PAWSCTL_ENGINE="docker", PAWSCTL_PROJECT="pawsctl-test-x")
place("/missing.sock")
assert app.run(["redis", "status"]) == 6
place(sys.argv[1])
os.chdir("/")
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
sys.exit(app.run(["redis", "status"]))
"""


def test_a_terminal_shows_a_bar_per_layer(unpulled_image: str, docker_stack: Stack) -> None:
    """Two layers are new; those that are here already are nobody's progress."""
    ours, theirs = os.openpty()
    try:
        up = docker_stack.start(
            "redis", "up", env={"REDIS_IMAGE": unpulled_image, "TERM": "xterm"}, stderr=theirs
        )
        shown = b""
        while f"Pulled {unpulled_image}".encode() not in shown:
            shown += os.read(ours, 65_536)
        up.communicate(timeout=60)
    finally:
        os.close(ours)
        os.close(theirs)

    layers = set(re.findall(rb"([0-9a-f]{12}) [A-Z]", shown))
    assert len(layers) == 2
    assert b"4.0 MB" in shown
