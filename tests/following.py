"""A command that goes on until it is ended, and what it prints meanwhile."""

import json
import queue
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

from tests.cli_runner import Pawsctl

DEADLINE_SECONDS = 20.0


class Following:
    """A running command; `out` and `err` are its lines as they come."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self._threads: list[threading.Thread] = []
        self.out = self._lines(process.stdout)
        self.err = self._lines(process.stderr)

    def _lines(self, stream: IO[bytes] | None) -> "queue.Queue[str]":
        assert stream is not None
        lines: queue.Queue[str] = queue.Queue()

        def read() -> None:
            with stream:
                for line in stream:
                    lines.put(line.decode().rstrip("\n"))

        thread = threading.Thread(target=read)
        thread.start()
        self._threads.append(thread)
        return lines

    def line(self) -> str:
        """The next line on stdout; fails where none comes in time."""
        return self.out.get(timeout=DEADLINE_SECONDS)

    def event(self) -> dict[str, Any]:
        """The next line on stdout as JSON."""
        found: dict[str, Any] = json.loads(self.line())
        return found

    def said(self) -> str:
        """The next line on stderr."""
        return self.err.get(timeout=DEADLINE_SECONDS)

    def interrupt(self) -> int:
        """Ctrl-C; the exit status."""
        self.process.send_signal(signal.SIGINT)
        status = self.process.wait(DEADLINE_SECONDS)
        for thread in self._threads:
            thread.join(DEADLINE_SECONDS)
        return status


@contextmanager
def following(pawsctl: Pawsctl, *arguments: str) -> Iterator[Following]:
    """A command that is ended at the end, if it has not been before."""
    found = Following(pawsctl.start(*arguments))
    try:
        yield found
    finally:
        if found.process.poll() is None:
            found.interrupt()
