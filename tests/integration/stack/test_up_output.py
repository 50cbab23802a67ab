"""The output of `up` and its like: a line a service, the next commands on a terminal, and -v."""

import os
import re
import subprocess
import sys

import pytest

from tests.stack_fixtures import Stack

pty = pytest.importorskip("pty", reason="this system has no terminals of this kind")


def on_terminal(stack: Stack, *arguments: str) -> str:
    """Return what a command writes to a terminal, without colours."""
    inner, outer = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "pawsctl", *arguments, "--no-color"],
        stdin=subprocess.DEVNULL,
        stdout=outer,
        stderr=outer,
        cwd=stack.folder,
        env=stack.environment | {"TERM": "xterm", "COLUMNS": "100"},
    )
    os.close(outer)
    written = b""
    # Linux ends a terminal that nobody writes to any more with an error.
    try:
        while data := os.read(inner, 4096):
            written += data
    except OSError:
        assert process.wait(timeout=60) == 0
    finally:
        os.close(inner)
        process.wait(timeout=60)
    return written.decode().replace("\r\n", "\n")


def test_up_says_what_it_did_and_how_it_goes_on(stack: Stack) -> None:
    """A line with a mark and a time; then the next three commands, which work as written."""
    told = on_terminal(stack, "redis", "up")

    assert re.search(r"^✓ redis created  \d+\.\d\d s$", told, re.MULTILINE)
    _, heading, after = told.partition("Next:\n")
    assert heading
    commands = [line.split("  ")[1] for line in after.splitlines()]
    assert len(commands) == 3
    for command in commands:
        name, *arguments = command.split()
        assert name == "pawsctl"
        assert stack(*arguments).status == 0, command
    assert (
        stack("redis", "status", "-o", "env").text == f"REDIS_URL=redis://127.0.0.1:{stack.port}\n"
    )
    # Into a file or a pipe, nothing follows.
    again = stack("redis", "up")
    assert re.match(r"✓ redis already running  \d+\.\d\d s\n", again.text)
    assert "Next:" not in again.err
    assert "starting" not in stack("redis", "status").text


def test_a_restart_says_restarted_and_v_tells_each_step(stack: Stack) -> None:
    """Each step has the time at which it was done."""
    stack("redis", "up")

    done = stack("redis", "restart", "-v")

    assert re.match(r"✓ redis restarted  \d+\.\d\d s\n", done.text)
    steps = re.findall(r"^ +\d+\.\d{3} s  (\w+)", done.err, re.MULTILINE)
    assert {"Engine", "Stopped", "Started"} <= {*steps}
