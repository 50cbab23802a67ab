"""Docker's Unix socket, and terminals: tests that need Linux or macOS."""

import os
import re
import shutil
import socket
import socketserver
import stat
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler

import pytest

from tests.needs import skip_or_fail
from tests.stack_fixtures import Stack

# conftest.py keeps this from being collected there.
assert sys.platform != "win32"


def test_an_engine_that_hangs_is_given_up(asking: Stack) -> None:
    """The socket accepts the connection and never answers."""
    path = asking.folder / "hung.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        done = asking("redis", "status", env={"DOCKER_HOST": f"unix://{path}"})

    assert done.status == 6
    assert "does not answer within" in done.err


def test_a_socket_without_permission_says_how_to_get_it(asking: Stack) -> None:
    """The socket is another user's, and we are not in the group `docker`."""
    setpriv = shutil.which("setpriv")
    if os.geteuid() != 0 or setpriv is None:
        skip_or_fail("only root, with setpriv, can make a socket that it may not use")
    path = asking.folder / "docker.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        path.chmod(stat.S_IRUSR | stat.S_IWUSR)
        os.chown(path, 65_534, 65_534)
        done = subprocess.run(
            # Still root, who can reach this checkout, but without the right to bypass permissions.
            [
                setpriv,
                "--bounding-set=-dac_override",
                sys.executable,
                "-m",
                "pawsctl",
                "redis",
                "status",
            ],
            env=asking.environment | {"DOCKER_HOST": f"unix://{path}"},
            capture_output=True,
            text=True,
            check=False,
        )

    assert done.returncode == 6, done.stderr
    assert "There is no permission to use Docker's socket" in done.stderr
    assert "group 'docker'" in done.stderr


class _NoInfo(BaseHTTPRequestHandler):
    """An engine that answers the version and fails on `info`."""

    def do_GET(self) -> None:
        """Answer as Docker would."""
        is_version = self.path.endswith("/version")
        body = b'{"ApiVersion": "1.41"}' if is_version else b'{"message": "out of order"}'
        self.send_response(200 if is_version else 500)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""

    def address_string(self) -> str:
        """A Unix socket's client has no address."""
        return "-"


def test_an_engine_that_fails_is_told_in_its_words(asking: Stack) -> None:
    """Topologies ask for more of its `info` than others."""
    path = asking.folder / "failing.sock"
    with socketserver.ThreadingUnixStreamServer(str(path), _NoInfo) as failing:
        threading.Thread(target=failing.serve_forever, daemon=True).start()
        done = asking("redis", "up", "--topology", "cluster", env={"DOCKER_HOST": f"unix://{path}"})
        failing.shutdown()

    assert done.status == 1
    assert "Docker refused: out of order" in done.err
    assert "Traceback" not in done.err


def test_a_terminal_shows_a_bar_per_layer(unpulled_image: str, docker_stack: Stack) -> None:
    """Two layers are new; those already here get no bar."""
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


@pytest.mark.parametrize("command", ["up", "status", "down"])
def test_a_user_without_a_home(docker_stack: Stack, command: str) -> None:
    """HOME is not set, and the system does not know the user: no directory '~' is created."""
    if sys.platform != "linux" or os.geteuid() != 0:
        skip_or_fail("only root on Linux can hide the system's users")
    environment = {
        name: value
        for name, value in docker_stack.environment.items()
        if name not in ("HOME", "XDG_STATE_HOME", "DOCKER_CONFIG")
    }
    # Without the second, the system's libraries would still know root's home.
    hidden = "mount --bind /dev/null /etc/passwd && mount --bind /dev/null /etc/nsswitch.conf"

    done = subprocess.run(
        [
            "unshare",
            "--mount",
            "sh",
            "-c",
            f'{hidden} && exec "$@"',
            "sh",
            sys.executable,
            "-m",
            "pawsctl",
            "redis",
            command,
        ],
        cwd=docker_stack.folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert "There is no place for pawsctl's state" in done.stderr
    assert "XDG_STATE_HOME" in done.stderr
    assert list(docker_stack.folder.iterdir()) == []
