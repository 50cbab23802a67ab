"""A Redis client of one socket and hiredis alone, for what pawsctl is measured against."""

import socket
from typing import Any

import hiredis

# As much as a batch of the list has; a larger buffer would be mapped anew for each reply.
_PIECE = 64 * 1024
_SECONDS = 5.0


class RawRedis:
    """A connection to a server on this machine; no reply is waited for longer than five seconds."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), _SECONDS)
        self._reader = hiredis.Reader()

    def send(self, *commands: tuple[Any, ...]) -> None:
        """Send commands, whose replies are to be received in the same order."""
        self._socket.sendall(b"".join(map(hiredis.pack_command, commands)))

    def receive(self, count: int) -> list[Any]:
        """Return the next replies. Raises an error reply, and EOFError if the server hangs up."""
        replies: list[Any] = []
        while len(replies) < count:
            reply = self._reader.gets()
            if reply is False:
                piece = self._socket.recv(_PIECE)
                if not piece:
                    raise EOFError("the server hung up")
                self._reader.feed(piece)
            elif isinstance(reply, hiredis.ReplyError):
                raise reply
            else:
                replies.append(reply)
        return replies

    def ask(self, *commands: tuple[Any, ...]) -> list[Any]:
        """Send commands and return their replies."""
        self.send(*commands)
        return self.receive(len(commands))
