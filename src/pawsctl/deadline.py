"""The deadline of a reply, so that a server that sends slowly can't block a command. Pure."""

from __future__ import annotations

import time

# Bytes received that extend the deadline by a second: a large value may come over a slow line.
BYTES_A_SECOND = 64 * 1024
# Bytes of a command that even a busy server processes in an eighth of a second.
_WORKED_AT_ONCE = 1024 * 1024


class Deadline:
    """The deadline of a whole reply: `seconds`, plus one second for every 64 KB received.

    `until` is a moment of the monotonic clock that the deadline never exceeds.
    """

    def __init__(self, seconds: float, until: float | None = None) -> None:
        self._seconds = seconds
        self._until = until
        self._ends: float | None = None
        self._work = 0.0

    def sending(self, count: int) -> float:
        """Return the seconds for sending `count` bytes; many give their reply more time, too.

        Raises TimeoutError if there are none.
        """
        # The time since the last command was no wait for a reply.
        self._ends = None
        # The server may read as slowly as it may write.
        seconds = self.left() + count // BYTES_A_SECOND
        self._ends = None
        self._work = count // _WORKED_AT_ONCE / 8
        return seconds

    def restart(self) -> None:
        """Reset for the next reply; its time starts with the next call of `left`."""
        self._ends = None

    def left(self) -> float:
        """Return the seconds left for the next piece. Raises TimeoutError if there are none."""
        now = time.monotonic()
        most = self._seconds + self._work
        if self._ends is None:
            # Exactly the same for most replies: to set another time for a socket is a system call.
            self._ends, left = now + most, most
        else:
            left = min(most, self._ends - now)
        if self._until is not None:
            left = min(left, self._until - now)
        if left <= 0:
            raise TimeoutError("timed out")
        return left

    def received(self, count: int) -> None:
        """Extend the deadline for `count` bytes received."""
        if self._ends is not None:
            self._ends += count / BYTES_A_SECOND
