"""Run pawsctl as a separate process without importing its modules each time.

A server (`tests/forking/`), one per process that runs tests, imports them once and forks
processes for the commands. Such a process is a normal one, with the command's own streams, folder,
environment and arguments; it runs commands one after the other. Every command starts from scratch
instead if PAWSCTL_TEST_FRESH=1, if the environment has variables that Python itself reads, or if
the system cannot fork.
"""

import atexit
import contextlib
import functools
import json
import os
import socket
import subprocess
import sys
import termios
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

from tests.running_command import Command, Running, Started

# Settings of the interpreter and of the C library, which are read when a process starts.
_READ_AT_START = ("LANG", "LC_", "LD_", "MALLOC_", "PYTHON")

Finished = tuple[int, bytes, bytes]
"""Exit status (negative: the signal that ended it), stdout, stderr."""


def run(
    arguments: Sequence[str | bytes],
    *,
    stdin: bytes,
    folder: Path,
    environment: Mapping[str, str],
    timeout: float,
) -> Finished:
    """Run pawsctl to its end; if it takes longer, kill it and raise TimeoutExpired."""
    if not _can_serve(environment):
        done = subprocess.run(
            [sys.executable, "-m", "pawsctl", *arguments],
            input=stdin,
            capture_output=True,
            cwd=folder,
            env=environment,
            timeout=timeout,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr
    return _server()(_request(arguments, folder, environment), stdin, timeout)


def start(
    arguments: Sequence[str],
    *,
    stderr: int,
    folder: Path,
    environment: Mapping[str, str],
    is_fresh: bool,
) -> Running:
    """Start pawsctl, which reads nothing; return it while it runs. The caller ends it.

    `stderr` is a handle, or PIPE or STDOUT of subprocess. It starts from scratch if it `is_fresh`.
    """
    if not is_fresh and _can_serve(environment):
        return _server().start(_request(arguments, folder, environment), stderr)
    return subprocess.Popen(
        [sys.executable, "-m", "pawsctl", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=stderr,
        cwd=folder,
        env=environment,
    )


def run_in_terminal(
    arguments: Sequence[str],
    *,
    columns: int,
    folder: Path,
    environment: Mapping[str, str],
    timeout: float,
    typed: bytes = b"",
) -> tuple[int, bytes]:
    """Run pawsctl in a terminal of so many columns; return its exit status and what it printed.

    What is `typed` is typed when it first asks for something.
    """
    request = _request(arguments, folder, environment)
    return _server().in_terminal(request, columns, timeout, typed)


def _request(
    arguments: Sequence[str | bytes], folder: Path, environment: Mapping[str, str]
) -> object:
    return {
        "arguments": [os.fsdecode(each) for each in arguments],
        "folder": str(folder),
        "environment": dict(environment),
    }


def _can_serve(environment: Mapping[str, str]) -> bool:
    at_start = {k: v for k, v in environment.items() if k.startswith(_READ_AT_START)}
    is_wanted = os.environ.get("PAWSCTL_TEST_FRESH") != "1" and at_start == _SERVED_AT_START
    return is_wanted and hasattr(os, "fork")


_SERVED_AT_START = {"PYTHONWARNINGS": "error"}


@functools.cache
def _server() -> "_Client":
    return _Client()


def measured() -> dict[str, str]:
    """Return the variables by which `make coverage` measures a process."""
    return {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}


class _Client:
    """The server's process and a channel to it; the server ends when the channel is closed."""

    def __init__(self) -> None:
        self._channel, theirs = socket.socketpair()
        with theirs:
            # Pipes, since a command's streams are pipes, and Python inspects them early.
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.forking.server", str(theirs.fileno())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=[theirs.fileno()],
                cwd=Path(__file__).parents[1],
                env={"PATH": os.environ["PATH"], **_SERVED_AT_START, **measured()},
            )
        atexit.register(self._end)

    def _end(self) -> None:
        self._channel.close()
        self._process.communicate()

    def __call__(self, request: object, stdin: bytes, timeout: float) -> Finished:
        theirs, ours = zip(*(os.pipe(), os.pipe()[::-1], os.pipe()[::-1]), strict=True)
        with (
            os.fdopen(ours[0], "wb", buffering=0) as into,
            os.fdopen(ours[1], "rb") as out,
            os.fdopen(ours[2], "rb") as err,
            ThreadPoolExecutor(3) as pool,
            self._begun(request, theirs) as command,
        ):
            pool.submit(_feed, into, stdin)
            printed = pool.submit(out.read), pool.submit(err.read)
            return command.end(timeout), printed[0].result(), printed[1].result()

    def start(self, request: object, stderr: int) -> Started:
        """Start a command that reads nothing."""
        out, theirs = os.pipe()
        if stderr == subprocess.PIPE:
            err, their_err = os.pipe()
        else:
            err, their_err = None, os.dup(theirs if stderr == subprocess.STDOUT else stderr)
        nothing = os.open(os.devnull, os.O_RDONLY)
        return Started(self._begun(request, [nothing, theirs, their_err]), out, err)

    def in_terminal(
        self, request: object, columns: int, timeout: float, typed: bytes
    ) -> tuple[int, bytes]:
        """Run a command in a terminal of its own; return its exit status and what it printed."""
        ours, theirs = os.openpty()
        termios.tcsetwinsize(theirs, (24, columns))
        with (
            os.fdopen(ours, "rb", buffering=0) as screen,
            ThreadPoolExecutor(1) as pool,
            self._begun(request, [theirs]) as command,
        ):
            printed = pool.submit(_drawn, screen, typed)
            return command.end(timeout), printed.result()

    def _begun(self, request: object, theirs: Sequence[int]) -> Command:
        """Start a command with these streams, or with one for all; closes them here."""
        report, their_report = socket.socketpair()
        with their_report:
            streams = [*theirs, *theirs, *theirs][:3]
            socket.send_fds(self._channel, [b"r"], [*streams, their_report.fileno()])
        for each in theirs:
            os.close(each)
        report.sendall(json.dumps(request).encode() + b"\n")
        # Without a buffer, so that what was not read yet is seen to have come.
        answers = report.makefile("rb", buffering=0)
        first = answers.readline()
        assert first, f"the server of commands has ended: {self._process.communicate()}"
        return Command(int(first), report, answers)


def _drawn(screen: IO[bytes], typed: bytes) -> bytes:
    """Return everything that is printed in a terminal until nobody has it open.

    At the first question, which ends with a blank behind `]` or `:`, this is `typed`.
    """
    printed = b""
    with contextlib.suppress(OSError):
        while data := screen.read(1 << 16):
            printed += data
            if typed and printed.endswith((b"] ", b": ")):
                os.write(screen.fileno(), typed)
                typed = b""
    return printed


def _feed(stream: IO[bytes], data: bytes) -> None:
    with contextlib.suppress(BrokenPipeError), stream:
        while data:
            data = data[stream.write(data) :]
