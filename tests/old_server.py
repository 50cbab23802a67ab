"""A server that knows no PXAT, as Redis before 6.2: none of that age can be installed any more.

It stands before a real server and refuses, in that version's words, what it would have refused.
"""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import hiredis

from tests.servers import Server

_SYNTAX_ERROR = b"-ERR syntax error\r\n"


@contextmanager
def before_6_2(server: Server) -> Iterator[str]:
    """The URL of an old server with the data of a new one."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_accept, args=(listener, server.port), daemon=True)
        thread.start()
        try:
            yield f"redis://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _accept(listener: socket.socket, port: int) -> None:
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            with client, socket.create_connection(("127.0.0.1", port)) as behind:
                _serve(client, behind)


def _serve(client: socket.socket, behind: socket.socket) -> None:
    commands = hiredis.Reader()
    while data := client.recv(1 << 16):
        commands.feed(data)
        while command := commands.gets():
            if b"PXAT" in command:
                client.sendall(_SYNTAX_ERROR)
            else:
                behind.sendall(hiredis.pack_command(tuple(command)))
                client.sendall(_reply(behind))


def _reply(behind: socket.socket) -> bytes:
    reader, reply = hiredis.Reader(), b""
    while reader.gets() is False:
        data = behind.recv(1 << 16)
        reader.feed(data)
        reply += data
    return reply
