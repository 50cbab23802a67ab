"""pawsctl run as users run it: a process of its own, stdout and stderr apart."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from tests import fork_server

TIMEOUT_SECONDS = 60


class Result(NamedTuple):
    """How a run ended and what it printed."""

    status: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        """stdout as text."""
        return self.out.decode()

    @property
    def json(self) -> Any:
        """stdout as the one JSON value that it must be."""
        return json.loads(self.out)

    @property
    def error(self) -> dict[str, str]:
        """The error object that JSON mode leaves as the last line of stderr."""
        found: dict[str, str] = json.loads(self.err.splitlines()[-1])["error"]
        return found


class Pawsctl:
    """Runs pawsctl in a folder and an environment of the test's own."""

    def __init__(self, folder: Path, url: str | None = None) -> None:
        self.folder = folder
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "XDG_STATE_HOME": str(folder / "state"),
            "TMPDIR": tempfile.gettempdir(),
            "PYTHONWARNINGS": "error",
            # What the tests' own run was started with must not colour what they see.
            "PAWSCTL_ENGINE": "embedded",
            "PAWSCTL_PROJECT": "pawsctl-test-cli",
        }
        if url:
            self.environment["REDIS_URL"] = url

    def start(
        self, *arguments: str, env: dict[str, str] | None = None, stderr: int = subprocess.PIPE
    ) -> subprocess.Popen[bytes]:
        """Start a command and leave it running; the caller ends it."""
        return subprocess.Popen(
            [sys.executable, "-m", "pawsctl", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            cwd=self.folder,
            env=self.environment | (env or {}),
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
