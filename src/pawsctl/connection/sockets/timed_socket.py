"""A socket that holds each reply to a deadline."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import Any

from pawsctl.connection.last_words import LastWords
from pawsctl.deadline import Deadline

_PIECE = 64 * 1024


class TimedSocket:
    """A socket as redis-py uses it, held to a deadline; everything else is the socket's own."""

    def __init__(self, wrapped: socket.socket, deadline: Deadline, words: LastWords) -> None:
        self._wrapped = wrapped
        self._deadline = deadline
        self._words = words
        self._seconds = wrapped.gettimeout()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._wrapped, name)

    def settimeout(self, seconds: float | None) -> None:
        """Set the seconds to wait for the next piece; saves a system call if they are as before."""
        if seconds != self._seconds:
            self._wrapped.settimeout(seconds)
            self._seconds = seconds

    def recv_into(self, buffer: Any) -> int:
        """Fill a buffer and return the number of bytes. Raises TimeoutError at the deadline."""
        self.settimeout(self._deadline.left())
        count = self._wrapped.recv_into(buffer)
        self._deadline.received(count)
        # A view, so that large replies are not copied.
        self._words.piece = memoryview(buffer)[:count]
        return count

    def sendall(self, data: bytes) -> None:
        """Send everything; if the server has hung up, keep what it said before in `words`."""
        self.settimeout(self._deadline.sending(len(data)))
        try:
            self._wrapped.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            unread = b""
            with suppress(OSError):
                while piece := self._wrapped.recv(_PIECE):
                    unread = (unread + piece)[-_PIECE:]
            self._words.overheard(unread)
            raise
