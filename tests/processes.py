"""A server process that tests can inspect, pause and kill."""

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
    """A server on a loopback port; `client` is a plain SDK client for the test's own use."""

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
        """Start the process, without waiting until it answers."""
        with self.log.open("ab") as stream:
            self.process = subprocess.Popen(arguments, stdout=stream, stderr=stream)

    def kill(self) -> None:
        """Kill the process as a power cut would, even if paused."""
        self.process.kill()
        self.process.wait()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Stop the process without closing its sockets: requests get no answer."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        """Kill the process and close the client."""
        self.client.close()
        self.kill()


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Return when a condition holds; fail if it does not in time."""
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
