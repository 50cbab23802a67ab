"""A server whose append-only file does not hold all: switched off, or on a full disk."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.needs import skip_or_fail
from tests.stack_fixtures import Stack

# A disk with room for the server's start; the last write that it takes finds none.
FULL = r"""
mount -t tmpfs -o size=2m none "$XDG_STATE_HOME" || exit 77
pawsctl() { "$PYTHON" -m pawsctl redis "$@"; echo "$1 $?" >>seen; }
pawsctl up
head -c 9000000 /dev/zero >"$XDG_STATE_HOME/filling"
"$PYTHON" -c '
import os, socket
with socket.create_connection(("127.0.0.1", int(os.environ["REDIS_PORT"]))) as server:
    server.sendall(b"CONFIG SET save \"\"\r\nSET last %s\r\n" % (b"x" * 9000))
    while server.recv(4096).count(b"OK") not in (1, 2): pass
'
pawsctl stop
REDIS_MAXMEMORY=64mb pawsctl up
rm "$XDG_STATE_HOME/filling"
pawsctl stop
pawsctl start
pawsctl down --volumes --yes
"""


def _switched_off(stack: Stack, key: str, password: str | None = None) -> None:
    """Store a key that the file as it was does not hold."""
    with stack.client(password) as client:
        client.config_set("appendonly", "no")
        client.set(key, "1")


def _holds(stack: Stack, key: str, password: str | None = None) -> bool:
    with stack.client(password) as client:
        return bool(client.exists(key))


def test_a_stop_leaves_everything_where_the_next_start_finds_it(stack: Stack) -> None:
    """The server reads the file when it starts, and would have found it as it was before."""
    assert stack("redis", "up").status == 0
    _switched_off(stack, "first")

    stop, start = stack("redis", "stop"), stack("redis", "start")

    assert (stop.status, start.status) == (0, 0), stop.err + start.err
    assert _holds(stack, "first")
    _switched_off(stack, "second")
    assert stack("redis", "restart").status == 0
    assert _holds(stack, "second")


def test_data_outlives_down_and_changed_settings(stack: Stack) -> None:
    """Each of them ends the server."""
    assert stack("redis", "up").status == 0
    _switched_off(stack, "first")
    assert stack("redis", "up", env={"REDIS_MAXMEMORY": "64mb"}).status == 0
    assert _holds(stack, "first")
    _switched_off(stack, "second")

    down = stack("redis", "down")

    assert down.status == 0, down.err
    assert stack("redis", "up").status == 0
    assert _holds(stack, "second")


def test_a_password_that_was_changed_since_hides_nothing(stack: Stack) -> None:
    """A running server is asked with the password that it was started with."""
    old, new = {"REDIS_PASSWORD": "old one"}, {"REDIS_PASSWORD": "new"}
    assert stack("redis", "up", env=old).status == 0
    _switched_off(stack, "first", "old one")
    assert stack("redis", "up", env=new).status == 0
    assert _holds(stack, "first", "new")
    _switched_off(stack, "second", "new")

    stop = stack("redis", "stop", env=old)

    assert (stop.status, stop.err) == (0, "")
    assert stack("redis", "up", env=old).status == 0
    assert _holds(stack, "second", "old one")


def test_one_that_does_not_tell_is_stopped_with_a_warning(stack: Stack) -> None:
    """Nobody but the one who set that password can ask it."""
    assert stack("redis", "up").status == 0
    with stack.client() as client:
        client.config_set("requirepass", "of somebody")

    up = stack("redis", "up", env={"REDIS_MAXMEMORY": "64mb"})

    assert up.status == 0, up.err
    assert "does not tell whether all that it holds is on disk (NOAUTH" in up.err
    assert "its data is kept" not in up.err


def test_nothing_is_stopped_on_a_full_disk(embedded_stack: Stack) -> None:
    """The server has taken the last write, and would end without it."""
    if sys.platform != "linux" or os.geteuid() != 0 or not shutil.which("unshare"):
        skip_or_fail("mounting a small disk needs root, on Linux")
    folder = embedded_stack.folder
    state = Path(embedded_stack.environment["XDG_STATE_HOME"])
    state.mkdir(exist_ok=True)

    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", FULL],
        cwd=folder,
        env=embedded_stack.environment | {"PYTHON": sys.executable},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    if done.returncode == 77:
        skip_or_fail("no small disk can be mounted here")
    seen = (folder / "seen").read_text().splitlines()
    assert seen == ["up 0", "stop 7", "up 7", "stop 0", "start 0", "down 0"], done.stderr
    assert "would lose data if it were stopped" in done.stderr
