"""A proxy between pawsctl and a real server that acts like an old version or adds latency.

None of the old versions can be installed any more, so it refuses, in their words, the commands that
they would have refused.
"""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import hiredis

from tests.servers import Server

_SYNTAX_ERROR = b"-ERR syntax error\r\n"

Refuses = Callable[[list[bytes]], bool]


def before_6_2(command: list[bytes]) -> bool:
    """Return whether the command has PXAT, which Redis before 6.2 does not know."""
    return b"PXAT" in command


def before_6_0(command: list[bytes]) -> bool:
    """Return the same, or whether SCAN selects a TYPE, which Redis before 6.0 does not know."""
    return before_6_2(command) or (command[0] == b"SCAN" and b"TYPE" in command)


@contextmanager
def standing(
    server: Server, *, refuses: Refuses = lambda _command: False, seconds: float = 0
) -> Iterator[str]:
    """Yield the URL of the proxy, to which each message takes `seconds`."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(
            target=_accept, args=(listener, server.port, refuses, seconds), daemon=True
        )
        thread.start()
        try:
            yield f"redis://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _accept(listener: socket.socket, port: int, refuses: Refuses, seconds: float) -> None:
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            with (
                client,
                socket.create_connection(("127.0.0.1", port)) as behind,
                suppress(ConnectionError),
            ):
                _serve(client, behind, refuses, seconds)


def _serve(client: socket.socket, behind: socket.socket, refuses: Refuses, seconds: float) -> None:
    commands = hiredis.Reader()
    while data := client.recv(1 << 16):
        time.sleep(seconds)
        commands.feed(data)
        while command := commands.gets():
            if refuses(command):
                client.sendall(_SYNTAX_ERROR)
            else:
                behind.sendall(hiredis.pack_command(tuple(command)))
                client.sendall(_reply(behind))


def _reply(behind: socket.socket) -> bytes:
    reader, reply = hiredis.Reader(), b""
    while reader.gets() is False:
        data = behind.recv(1 << 16)
        if not data:
            raise ConnectionResetError
        reader.feed(data)
        reply += data
    return reply
