"""Ports of loopback that a test may give to a server."""

import contextlib
import secrets
import socket

BUS_OFFSET = 10_000
"""What Redis adds to a node's port for its cluster bus."""

_FIRST, _LAST = 20_000, 32_767 - BUS_OFFSET


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nothing listens on, with its cluster bus port free too.

    Both lie below the range that systems hand to outgoing connections (32768 up on Linux), so
    that only another call of this, at random, could take them before they are used.
    """
    while True:
        port = _FIRST + secrets.randbelow(_LAST - _FIRST + 1)
        with socket.socket() as own, socket.socket() as bus, contextlib.suppress(OSError):
            own.bind(("127.0.0.1", port))
            bus.bind(("127.0.0.1", port + BUS_OFFSET))
            return port
