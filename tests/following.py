"""A running command that is ended by the test, and the lines it prints."""

import json
import queue
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

from tests.cli_runner import Pawsctl
from tests.running_command import Running

DEADLINE_SECONDS = 20.0


class Following:
    """A running command; `out` and `err` are its lines as they arrive."""

    def __init__(self, process: Running) -> None:
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
        """Return the next line on stdout; fail if none comes in time."""
        return self.out.get(timeout=DEADLINE_SECONDS)

    def event(self) -> dict[str, Any]:
        """Return the next line on stdout as JSON."""
        found: dict[str, Any] = json.loads(self.line())
        return found

    def said(self) -> str:
        """Return the next line on stderr."""
        return self.err.get(timeout=DEADLINE_SECONDS)

    def told(self) -> str:
        """Return the next line on stderr that is not about polls, which take long now and then."""
        while (line := self.said()).startswith("Watching "):
            pass
        return line

    def interrupt(self) -> int:
        """Send Ctrl-C; return the exit status."""
        self.process.send_signal(signal.SIGINT)
        status = self.process.wait(DEADLINE_SECONDS)
        for thread in self._threads:
            thread.join(DEADLINE_SECONDS)
        return status


@contextmanager
def following(pawsctl: Pawsctl, *arguments: str) -> Iterator[Following]:
    """Run a command until the block ends, unless it ended before."""
    found = Following(pawsctl.start(*arguments))
    try:
        yield found
    finally:
        if found.process.poll() is None:
            found.interrupt()
