"""A few words of Redis's protocol over a plain socket: is it ready, and what does INFO say.

The engines and `status` need no more, and the Redis SDK costs 0.1 s to import.
"""

import socket
from typing import BinaryIO

HOST = "127.0.0.1"


class _Refused(Exception):
    """An error reply."""


def ping(port: int, password: str | None, *, timeout: float = 2.0) -> str:
    """Empty where PING is answered with PONG through `port`, else what came instead."""
    try:
        reply = _ask(port, password, "PING", timeout=timeout)
    except _Refused as error:
        return str(error)
    except TimeoutError:
        return "it accepts connections and does not answer"
    except OSError as error:
        return error.strerror or "the connection was closed"
    return "" if reply == b"PONG" else f"an answer that is not Redis's: {reply[:40]!r}"


def info(port: int, password: str | None, *, timeout: float = 2.0) -> dict[str, str]:
    """The fields of INFO, and none where Redis does not answer or refuses."""
    try:
        text = _ask(port, password, "INFO", timeout=timeout).decode("utf-8", "replace")
    except (_Refused, OSError):
        return {}
    pairs = (line.partition(":") for line in text.splitlines())
    return {name: value for name, colon, value in pairs if colon}


def _ask(port: int, password: str | None, command: str, *, timeout: float) -> bytes:
    commands = [(command,)] if password is None else [("AUTH", password), (command,)]
    with socket.create_connection((HOST, port), timeout) as connection:
        connection.sendall(b"".join(_packed(each) for each in commands))
        with connection.makefile("rb") as stream:
            reply = b""
            for _ in commands:
                reply = _reply(stream)
    return reply


def _packed(words: tuple[str, ...]) -> bytes:
    encoded = [word.encode("utf-8", "surrogateescape") for word in words]
    return b"*%d\r\n" % len(encoded) + b"".join(
        b"$%d\r\n%s\r\n" % (len(word), word) for word in encoded
    )


def _reply(stream: BinaryIO) -> bytes:
    line = stream.readline(65_536)
    if not line.endswith(b"\r\n"):
        raise ConnectionResetError
    text = line[1:-2]
    if line.startswith(b"-"):
        raise _Refused(text.decode("utf-8", "replace"))
    if line.startswith(b"$") and text.isdigit():
        body = stream.read(int(text) + 2)
        return body[:-2]
    return text if line.startswith(b"+") else line[:-2]
