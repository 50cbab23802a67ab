"""Commands of pawsctl that run in a process of the server of processes, see `tests.fork_server`."""

import contextlib
import os
import select
import signal
import socket
import subprocess
import time
from typing import IO, Any, Protocol

# Seconds until a command whose end is awaited without a limit is taken to hang.
_LONGEST = 600.0

TELL_WHERE = signal.SIGUSR1
"""Has a command print the stack of each of its threads on stderr."""


class Command:
    """A command that the server has started."""

    def __init__(self, pid: int, report: socket.socket, answers: socket.SocketIO) -> None:
        self.pid, self._report, self._answers = pid, report, answers

    def __enter__(self) -> "Command":
        return self

    def __exit__(self, *_: object) -> None:
        self._answers.close()
        self._report.close()

    def end(self, timeout: float) -> int:
        """Return the exit status; kill the command and raise TimeoutExpired if it takes longer."""
        if (status := self.status(timeout)) is None:
            os.kill(self.pid, signal.SIGKILL)
            raise subprocess.TimeoutExpired("pawsctl", timeout)
        return status

    def status(self, timeout: float | None) -> int | None:
        """Return the exit status as soon as there is one; None if there is none in time."""
        ready, _, _ = select.select([self._report], [], [], timeout)
        return int(self._answers.readline()) if ready else None


class Running(Protocol):
    """A command that may still run: what tests need of Popen."""

    pid: int
    returncode: int | Any
    stdout: IO[bytes] | None
    stderr: IO[bytes] | None

    def poll(self) -> int | None:
        """Return the exit status if it has ended."""

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit status when it has ended. Raises TimeoutExpired."""

    def communicate(self, *, timeout: float | None = None) -> tuple[bytes, bytes]:
        """Return the rest of its output when it has ended. Raises TimeoutExpired."""

    def send_signal(self, sig: int) -> None:
        """Send it a signal if it has not ended."""

    def terminate(self) -> None:
        """Send it SIGTERM if it has not ended."""

    def kill(self) -> None:
        """Send it SIGKILL if it has not ended."""


class Started:
    """A command that the server has started, and that the caller ends."""

    def __init__(self, command: Command, out: int, err: int | None) -> None:
        self.pid = command.pid
        self.returncode: int | None = None
        self.stdout: IO[bytes] | None = os.fdopen(out, "rb")
        self.stderr: IO[bytes] | None = None if err is None else os.fdopen(err, "rb")
        self._command = command

    def __del__(self) -> None:
        """Kill what a test that failed has left running, lest another be blamed for it."""
        self.kill()
        self.wait()
        for each in (self.stdout, self.stderr):
            if each:
                each.close()

    def poll(self) -> int | None:
        """Return the exit status if it has ended."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.wait(0)
        return None

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit status when it has ended. Raises TimeoutExpired."""
        if self.returncode is None:
            self.returncode = self._command.status(timeout)
            if self.returncode is None:
                raise subprocess.TimeoutExpired("pawsctl", timeout or 0)
            self._command.__exit__()
        return self.returncode

    def communicate(self, *, timeout: float | None = None) -> tuple[bytes, bytes]:
        """Return the rest of its output when it has ended.

        If it takes longer, kill it and raise TimeoutExpired with what it said, and where it was.
        """
        limit = _LONGEST if timeout is None else timeout
        deadline = time.monotonic() + limit
        streams = [each for each in (self.stdout, self.stderr) if each and not each.closed]
        found: dict[IO[bytes] | None, bytes] = dict.fromkeys(streams, b"")
        if not _read_rest(found, deadline) or self._command_lasts(deadline):
            self.send_signal(TELL_WHERE)
            _read_rest(found, time.monotonic() + 1)
            self.kill()
            error = subprocess.TimeoutExpired("pawsctl", limit)
            error.add_note(b"\n".join(found.values()).decode(errors="backslashreplace"))
            raise error
        return found.get(self.stdout, b""), found.get(self.stderr, b"")

    def _command_lasts(self, deadline: float) -> bool:
        try:
            self.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            return True
        return False

    def send_signal(self, sig: int) -> None:
        """Send it a signal if it has not ended."""
        if self.poll() is None:
            os.kill(self.pid, sig)

    def terminate(self) -> None:
        """Send it SIGTERM if it has not ended."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send it SIGKILL if it has not ended."""
        self.send_signal(signal.SIGKILL)


def _read_rest(found: dict[IO[bytes] | None, bytes], deadline: float) -> bool:
    """Add the rest of each stream to what was found, and close it; return False if it lasts."""
    left = [each for each in found if each and not each.closed]
    for each in left:
        os.set_blocking(each.fileno(), False)
    # The first time they may have something in their buffers.
    ready = list(left)
    while left:
        for each in ready:
            # None if there is nothing yet.
            data: bytes | None = each.read()
            found[each] += data or b""
            if data == b"":
                each.close()
        if left := [each for each in left if not each.closed]:
            ready, _, _ = select.select(left, [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                return False
    return True
