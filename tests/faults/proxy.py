"""A proxy between pawsctl and a real server that changes the bytes that pass."""

import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

_CHUNK = 1 << 16

WRONG_TYPES = (
    b"+OK\r\n",
    b":1\r\n",
    b":-7\r\n",
    b"$-1\r\n",
    b"$3\r\nabc\r\n",
    b"$3\r\n\xff\x1b[\r\n",
    b"*0\r\n",
    b"*-1\r\n",
    b"*1\r\n:3\r\n",
    b"*2\r\n$1\r\n0\r\n*1\r\n*0\r\n",
    b"*2\r\n:0\r\n:0\r\n",
    b"-ERR something \x1b[31m went wrong\r\n",
    b"-LOADING Redis is loading the dataset in memory\r\n",
    b"_\r\n",
    b"#t\r\n",
    b",1.5\r\n",
    b"%1\r\n+a\r\n:1\r\n",
    b"~1\r\n:1\r\n",
    b"(12345678901234567890\r\n",
    b"=5\r\ntxt:a\r\n",
    b"?what\r\n",
)


def reply_end(data: bytes | bytearray, start: int = 0) -> int:
    """Return where the reply that begins at `start` ends; -1 if it is not complete."""
    line = data.find(b"\r\n", start)
    if line < 0:
        return -1
    kind = data[start : start + 1]
    after = line + 2
    if kind in b"$=!":
        size = int(data[start + 1 : line])
        end = after if size < 0 else after + size + 2
        return end if end <= len(data) else -1
    if kind in b"*%~>":
        count = int(data[start + 1 : line]) * (2 if kind == b"%" else 1)
        for _ in range(max(count, 0)):
            after = reply_end(data, after)
            if after < 0:
                return -1
    return after


class Cut(OSError):
    """The connection to the client closes after these bytes of a reply."""

    def __init__(self, sent: bytes) -> None:
        super().__init__()
        self.sent = sent


@dataclass
class Bend:
    """How the proxy changes the bytes that pass.

    `cut_up` and `cut_down` close the connection after that many bytes from and to the client,
    counted over all connections; `always` does so to every later connection too. `change` gets the
    number of a reply and the reply, and returns what the client gets instead, or raises `Cut`.
    `drip` is the seconds between two bytes to the client, `delay` the seconds before each piece,
    `linger` those until the client hears that the server has closed the connection.
    """

    cut_up: int | None = None
    cut_down: int | None = None
    always: bool = False
    change: Callable[[int, bytes], bytes] | None = None
    drip: float = 0
    delay: float = 0
    linger: float = 0


@dataclass
class Seen:
    """The number of bytes from and to the client, and of replies."""

    up: int = 0
    down: int = 0
    replies: int = 0
    was_cut: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)


@contextmanager
def bending(port: int, bend: Bend) -> Iterator[tuple[int, Seen]]:
    """Serve a proxy to a server's port; yield the proxy's port, and the counts."""
    seen = Seen()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_accept, args=(listener, port, bend, seen), daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1], seen
        finally:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _accept(listener: socket.socket, port: int, bend: Bend, seen: Seen) -> None:
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            threading.Thread(target=_serve, args=(client, port, bend, seen), daemon=True).start()


def _serve(client: socket.socket, port: int, bend: Bend, seen: Seen) -> None:
    with client, suppress(OSError), socket.create_connection(("127.0.0.1", port)) as server:
        back = threading.Thread(target=_down, args=(client, server, bend, seen), daemon=True)
        back.start()
        _up(client, server, bend, seen)
        back.join()


def _allowed(seen: Seen, bend: Bend, direction: str, limit: int | None, wanted: int) -> int:
    """Return how many of the bytes may pass before the cut; all of them without a limit."""
    with seen.lock:
        done: int = getattr(seen, direction)
        if limit is None or (seen.was_cut and not bend.always):
            setattr(seen, direction, done + wanted)
            return wanted
        may = max(0, min(wanted, limit - done))
        setattr(seen, direction, done + may)
        if may < wanted or done + may >= limit:
            seen.was_cut = True
        return may


def _cut(*sockets: socket.socket) -> None:
    for each in sockets:
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


def _up(client: socket.socket, server: socket.socket, bend: Bend, seen: Seen) -> None:
    with suppress(OSError):
        while data := client.recv(_CHUNK):
            may = _allowed(seen, bend, "up", bend.cut_up, len(data))
            server.sendall(data[:may])
            if may < len(data):
                # The server runs what has arrived before the connection closes.
                time.sleep(0.01)
                break
    time.sleep(bend.linger)
    _cut(client, server)


def _down(client: socket.socket, server: socket.socket, bend: Bend, seen: Seen) -> None:
    buffer = bytearray()
    with suppress(OSError):
        while data := server.recv(_CHUNK):
            if bend.change is not None:
                buffer += data
                data = b""
                while buffer and (end := reply_end(buffer)) > 0:
                    with seen.lock:
                        number, seen.replies = seen.replies, seen.replies + 1
                    try:
                        data += bend.change(number, bytes(buffer[:end]))
                    except Cut as cut:
                        client.sendall(data + cut.sent)
                        raise
                    del buffer[:end]
            may = _allowed(seen, bend, "down", bend.cut_down, len(data))
            time.sleep(bend.delay)
            if bend.drip:
                for index in range(may):
                    client.sendall(data[index : index + 1])
                    time.sleep(bend.drip)
            else:
                client.sendall(data[:may])
            if may < len(data):
                break
    time.sleep(bend.linger)
    _cut(client, server)


_KINDS = {b"+": "text", b"$": "text", b"=": "text", b"_": "text", b":": "integer", b"-": "error"}


def _kind(reply: bytes) -> str:
    """Return the kind of a reply; a null reply counts as a text."""
    return "text" if reply == b"*-1\r\n" else _KINDS.get(reply[:1], "list")


def wrong_type(at: int, replacement: bytes) -> Callable[[int, bytes], bytes]:
    """Replace the reply with that number, if it is of another kind than the replacement.

    A reply of the same kind would be a valid answer, and nobody could see that it is wrong.
    """

    def change(number: int, reply: bytes) -> bytes:
        return replacement if number == at and _kind(reply) != _kind(replacement) else reply

    return change


def doubled(at: int) -> Callable[[int, bytes], bytes]:
    """Send the reply with that number twice."""
    return lambda number, reply: reply * 2 if number == at else reply


def wrong_length(at: int, rng: random.Random) -> Callable[[int, bytes], bytes]:
    """Change the length that the reply with that number states."""
    added = rng.choice((-2, -1, 1, 2, 7, 1_000_000_000))

    def change(number: int, reply: bytes) -> bytes:
        head, separator, rest = reply.partition(b"\r\n")
        if number != at or head[:1] not in b"$*%~" or not separator:
            return reply
        return head[:1] + str(int(head[1:]) + added).encode() + separator + rest

    return change
