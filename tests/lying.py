"""A server with chosen replies to any command, over a real socket.

To all other commands it replies like a small Redis with one session.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress

import hiredis

Answer = bytes | None
"""Bytes as they go over the wire; None hangs up."""

Tell = Callable[[list[bytes]], Answer]

KEY = b"wh:session:+59891234567"
VALUE = (
    b'{"status":"active","messages":[{"role":"user","content":"Hola"}],"updatedAt":1790000000000}'
)
_INFO = (
    b"# Server\r\nredis_version:7.2.0\r\nredis_mode:standalone\r\nrun_id:1\r\n"
    b"used_memory:1000000\r\nused_memory_peak:1000000\r\nmaxmemory:2000000\r\n"
    b"mem_fragmentation_ratio:1.5\r\nmaxmemory_policy:allkeys-lru\r\nevicted_keys:0\r\n"
    b"expired_keys:0\r\nused_memory_startup:1000\r\naof_enabled:1\r\nrole:master\r\n"
    b"cluster_enabled:0\r\ndb0:keys=1,expires=1\r\n"
)
UNKNOWN = b"-ERR unknown command\r\n"


def bulk(value: bytes) -> bytes:
    """Return a bulk string."""
    return b"$%d\r\n%s\r\n" % (len(value), value)


def array(*parts: bytes) -> bytes:
    """Return an array of replies."""
    return b"*%d\r\n%s" % (len(parts), b"".join(parts))


_FIXED: Mapping[bytes, bytes] = {
    b"PING": b"+PONG\r\n",
    b"CLIENT": b"+OK\r\n",
    b"CONFIG": b"+OK\r\n",
    b"AUTH": b"+OK\r\n",
    b"SELECT": b"+OK\r\n",
    b"SETEX": b"+OK\r\n",
    b"SET": b"+OK\r\n",
    b"EXPIRE": b":1\r\n",
    b"DEL": b":1\r\n",
    b"UNLINK": b":1\r\n",
    b"EXISTS": b":1\r\n",
    b"PTTL": b":20000000\r\n",
    b"TTL": b":20000\r\n",
    b"TYPE": b"+string\r\n",
    b"DBSIZE": b":1\r\n",
    b"GET": bulk(VALUE),
    b"STRLEN": b":%d\r\n" % len(VALUE),
    b"INFO": bulk(_INFO),
    b"MEMORY": b":200\r\n",
    b"SCAN": array(bulk(b"0"), array(bulk(KEY))),
}


def honest(command: list[bytes]) -> bytes:
    """Return the reply of a Redis that holds only that one session."""
    name = command[0].upper()
    if name == b"MGET":
        return array(*[bulk(VALUE)] * (len(command) - 1))
    if name == b"EVAL":
        one = b":20000000\r\n" if b"PTTL" in command[1] else b"+string\r\n"
        return array(*[bulk(VALUE) if b"'GET'" in command[1] else one] * (len(command) - 3))
    if name == b"TIME":
        return array(bulk(b"%d" % time.time()), bulk(b"0"))
    if name == b"SETEX" and command[2] == b"0":
        return b"-ERR invalid expire time in 'setex' command\r\n"
    return _FIXED.get(name, UNKNOWN)


@contextmanager
def answering(
    tell: Tell, *, seconds_a_byte: float = 0, seconds_a_piece: float = 0
) -> Iterator[str]:
    """Yield the URL of a server that answers each command with `tell`.

    Replies drip if there is a delay in seconds for each byte, or for each piece of 50 KB.
    """
    pace = (1, seconds_a_byte) if seconds_a_byte else (50_000, seconds_a_piece)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_accept, args=(listener, tell, pace))
        thread.daemon = True
        thread.start()
        try:
            yield f"redis://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _accept(listener: socket.socket, tell: Tell, pace: tuple[int, float]) -> None:
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            threading.Thread(target=_serve, args=(client, tell, pace), daemon=True).start()


def _serve(client: socket.socket, tell: Tell, pace: tuple[int, float]) -> None:
    commands, (size, seconds) = hiredis.Reader(), pace
    # A TLS handshake is no command.
    with client, suppress(OSError, hiredis.ProtocolError):
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while data := client.recv(1 << 16):
            commands.feed(data)
            while command := commands.gets():
                reply = tell(command)
                if reply is None:
                    return
                for begin in range(0, len(reply), size):
                    client.sendall(reply[begin : begin + size])
                    time.sleep(seconds)
