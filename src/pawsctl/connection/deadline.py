"""A socket on which a reply has its time: a server that drips holds nobody."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

# Bytes that buy another second: a slow line may bring a large value.
BYTES_A_SECOND = 64 * 1024
_PIECE = 64 * 1024


class Deadline:
    """When a reply must be whole: after `seconds`, and one more for every 64 KB that has come.

    `until` is a moment of the monotonic clock after which nothing is waited for.
    """

    def __init__(self, seconds: float, until: float | None = None) -> None:
        self._seconds = seconds
        self._until = until
        self._ends: float | None = None

    def restart(self) -> None:
        """Begin with the next reply: its time runs from when it is first waited for."""
        self._ends = None

    def left(self) -> float:
        """Seconds to wait for the next piece. Raises TimeoutError where the time is over."""
        now = time.monotonic()
        if self._ends is None:
            self._ends = now + self._seconds
        left = min(self._seconds, self._ends - now)
        if self._until is not None:
            left = min(left, self._until - now)
        if left <= 0:
            raise TimeoutError("timed out")
        return left

    def received(self, count: int) -> None:
        """Take note of bytes that have come."""
        if self._ends is not None:
            self._ends += count / BYTES_A_SECOND


class TimedSocket:
    """A socket as redis-py uses it, held to a deadline; everything else is the socket's own."""

    def __init__(
        self, wrapped: socket.socket, deadline: Deadline, overheard: Callable[[bytes], None]
    ) -> None:
        self._wrapped = wrapped
        self._deadline = deadline
        self._overheard = overheard

    def __getattr__(self, name: str) -> Any:
        return getattr(self._wrapped, name)

    def recv_into(self, buffer: Any) -> int:
        """Fill a buffer. Raises TimeoutError where the reply's time is over."""
        self._wrapped.settimeout(self._deadline.left())
        count = self._wrapped.recv_into(buffer)
        self._deadline.received(count)
        return count

    def sendall(self, data: bytes) -> None:
        """Send everything; where the other side has hung up, tell what it had said before."""
        self._wrapped.settimeout(self._deadline.left())
        self._deadline.restart()
        try:
            self._wrapped.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            unread = b""
            with suppress(OSError):
                while piece := self._wrapped.recv(_PIECE):
                    unread = (unread + piece)[-_PIECE:]
            self._overheard(unread)
            raise
