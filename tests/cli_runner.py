"""pawsctl run as users run it: a separate process, with stdout and stderr apart."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from tests import fork_server
from tests.running_command import Running

TIMEOUT_SECONDS = 60


# Sent from another process, a signal arrives later than meant if the machine is busy.
_SIGNALLING = """
import io, os, runpy, sys

number, moments = int(sys.argv[1]), [sys.argv[2]]

def look(text):
    if moments and moments[0] in text:
        moments.clear()
        os.kill(os.getpid(), number)

class Stderr(io.TextIOWrapper):
    def write(self, text):
        done = super().write(text)
        look(text)
        return done

sys.stderr = Stderr(io.FileIO(2, "w", closefd=False), encoding="utf-8", write_through=True)
events = ("open", "os.remove")
sys.addaudithook(lambda event, found: event in events and look(f"{event} {found[0]}"))
sys.argv = ["pawsctl", *sys.argv[3:]]
runpy.run_module("pawsctl", run_name="__main__", alter_sys=True)
"""


class Result(NamedTuple):
    """The exit status and output of a run."""

    status: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        """stdout as text."""
        return self.out.decode()

    @property
    def json(self) -> Any:
        """stdout parsed as a single JSON value."""
        return json.loads(self.out)

    @property
    def error(self) -> dict[str, str]:
        """The error object that JSON mode writes as the last line of stderr."""
        found: dict[str, str] = json.loads(self.err.splitlines()[-1])["error"]
        return found


class Pawsctl:
    """Runs pawsctl in the test's own folder and environment."""

    def __init__(self, folder: Path, url: str | None = None) -> None:
        self.folder = folder
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "XDG_STATE_HOME": str(folder / "state"),
            "TMPDIR": tempfile.gettempdir(),
            "PYTHONWARNINGS": "error",
            # The environment in which pytest was started must not affect the tests.
            "PAWSCTL_ENGINE": "embedded",
            "PAWSCTL_PROJECT": "pawsctl-test-cli",
            **fork_server.measured(),
        }
        if url:
            self.environment["REDIS_URL"] = url

    def start(
        self,
        *arguments: str,
        env: dict[str, str] | None = None,
        stderr: int = subprocess.PIPE,
        is_fresh: bool = False,
    ) -> Running:
        """Start a command and leave it running; the caller ends it.

        If it `is_fresh`, its process is a child of this one that has run nothing before.
        """
        return fork_server.start(
            arguments,
            stderr=stderr,
            folder=self.folder,
            environment=self.environment | (env or {}),
            is_fresh=is_fresh,
        )

    def signalled(
        self, number: int, moment: str, *arguments: str, stdin: int = subprocess.DEVNULL
    ) -> subprocess.Popen[bytes]:
        """Start a command that sends itself a signal at a moment, once.

        The moment is a part of what it writes on stderr, or of `open PATH` for a file that it opens
        or `os.remove PATH` for one that it removes.
        """
        return subprocess.Popen(
            [sys.executable, "-c", _SIGNALLING, str(int(number)), moment, *arguments],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=self.folder,
            env=self.environment,
        )

    def __call__(
        self,
        *arguments: str | bytes,
        env: dict[str, str] | None = None,
        stdin: bytes = b"",
        timeout: float = TIMEOUT_SECONDS,
    ) -> Result:
        """Run a command to its end."""
        status, out, err = fork_server.run(
            arguments,
            stdin=stdin,
            folder=self.folder,
            environment=self.environment | (env or {}),
            timeout=timeout,
        )
        return Result(status, out, err.decode())


def phones_in(result: Result) -> list[str]:
    """Return the phones of a list that was printed as JSON lines."""
    return [line.split(b'"', 4)[3].decode() for line in result.out.splitlines()]


def interrupted(pawsctl: Pawsctl, do: Callable[[], None], *arguments: str) -> Result:
    """Run a command, and call a function when it has printed its first byte.

    The pipe is not read meanwhile, so that a command with much output has not finished.
    """
    process = pawsctl.start(*arguments)
    assert process.stdout is not None
    first = os.read(process.stdout.fileno(), 1)
    do()
    out, err = process.communicate(timeout=TIMEOUT_SECONDS)
    return Result(process.returncode, first + out, err.decode())
