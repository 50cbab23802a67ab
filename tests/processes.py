"""A server as a process of its own, to be looked at, paused and killed."""

import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import redis

READY_DEADLINE_SECONDS = 30.0


class Process:
    """A server on a port of loopback; `client` is a plain SDK client for arranging and looking."""

    process: subprocess.Popen[bytes]

    def __init__(self, port: int, log: Path, **client: Any) -> None:
        self.port = port
        self.log = log
        self.client = redis.Redis(port=port, **{"protocol": 2, **client})

    @property
    def address(self) -> str:
        """`host:port`."""
        return f"127.0.0.1:{self.port}"

    def run(self, arguments: Sequence[str]) -> None:
        """Start the process; it may not answer yet."""
        with self.log.open("ab") as stream:
            self.process = subprocess.Popen(arguments, stdout=stream, stderr=stream)

    def kill(self) -> None:
        """Kill the process as a power cut would; a paused one too."""
        self.process.kill()
        self.process.wait()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Stop the process without closing its sockets: what is sent to it is not answered."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        """Kill the process and let go of the client."""
        self.client.close()
        self.kill()


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Return when a condition holds; fails where it does not in time."""
    deadline = time.monotonic() + READY_DEADLINE_SECONDS
    while True:
        try:
            if condition():
                return
        except redis.RedisError:
            pass
        if time.monotonic() > deadline:
            raise AssertionError(f"not in time: {what}")
        time.sleep(0.02)
