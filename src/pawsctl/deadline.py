"""The time that a reply has: a server that drips holds nobody. Pure."""

from __future__ import annotations

import time

# Bytes that buy another second: a slow line may bring a large value.
BYTES_A_SECOND = 64 * 1024
# Bytes of a command that a server works through in a second, be it busy.
_WORKED_A_SECOND = 8 * 1024 * 1024


class Deadline:
    """When a reply must be whole: after `seconds`, and one more for every 64 KB that has come.

    `until` is a moment of the monotonic clock after which nothing is waited for.
    """

    def __init__(self, seconds: float, until: float | None = None) -> None:
        self._seconds = seconds
        self._until = until
        self._ends: float | None = None
        self._work = 0.0

    def sent(self, count: int) -> None:
        """Take note of bytes that were sent, whose answers may take longer if they are many."""
        self._work = count / _WORKED_A_SECOND

    def restart(self) -> None:
        """Begin with the next reply: its time runs from when it is first waited for."""
        self._ends = None

    def left(self) -> float:
        """Seconds to wait for the next piece. Raises TimeoutError where the time is over."""
        now = time.monotonic()
        most = self._seconds + self._work
        if self._ends is None:
            self._ends = now + most
        left = min(most, self._ends - now)
        if self._until is not None:
            left = min(left, self._until - now)
        if left <= 0:
            raise TimeoutError("timed out")
        return left

    def received(self, count: int) -> None:
        """Take note of bytes that have come."""
        if self._ends is not None:
            self._ends += count / BYTES_A_SECOND
