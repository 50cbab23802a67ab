"""A minimal Redis client over a plain socket, for PING, INFO and single commands.

The engines, `status` and the forming of topologies need no more, and the Redis SDK costs 0.1 s to
import.
"""

import io
import socket
from collections.abc import Sequence
from typing import Any, BinaryIO

from pawsctl.connection.info_reply import fields
from pawsctl.deadline import Deadline

HOST = "127.0.0.1"

# The reason of a server that ends, among others, for not answering.
HUNG_UP = "the connection was closed"

# The most bytes of a value in Redis; no reply here is longer.
_MOST = 512 << 20

Words = Sequence[str | int | bytes]


_DENIED = "DENIED"
_NO_PASSWORD_ASKED = ("without any password configured", "no password is set")


class Refused(Exception):
    """An error reply."""


class ProbeLoginRefused(Refused):
    """The error reply to a missing or a wrong password."""


def ping(port: int, password: str | None, *, timeout: float = 2.0) -> str:
    """Return "" if PING is answered with PONG at `port`, else what happened instead.

    `timeout` is in seconds.
    """
    try:
        (reply,) = ask(port, password, ("PING",), timeout=timeout)
    except TimeoutError:
        return "it accepts connections and does not answer"
    except (Refused, OSError) as error:
        return reason(error)
    return "" if reply == b"PONG" else f"an answer that is not Redis's: {repr(reply)[:40]}"


def reason(error: Refused | OSError) -> str:
    """Return why a question was not answered, without the number of a system's error."""
    if isinstance(error, ConnectionResetError | ConnectionAbortedError | BrokenPipeError):
        return HUNG_UP
    if isinstance(error, OSError):
        return error.strerror or HUNG_UP
    return str(error)


def accepted(port: int, passwords: Sequence[str | None]) -> str | None:
    """Return the first of these passwords that the server takes; if it takes none, the first."""
    distinct = [*dict.fromkeys(passwords)]
    if len(distinct) == 1:
        return distinct[0]
    return next((each for each in distinct if not is_locked(ping(port, each))), distinct[0])


def is_locked(silence: str) -> bool:
    """Whether an answer of `ping` refuses the password."""
    return silence.startswith(("NOAUTH", "WRONGPASS"))


def info(port: int, password: str | None, *, timeout: float = 2.0) -> dict[str, str]:
    """Return the fields of INFO, none if Redis does not answer. Raises ProbeLoginRefused.

    `timeout` is in seconds.
    """
    try:
        (reply,) = ask(port, password, ("INFO",), timeout=timeout)
    except ProbeLoginRefused:
        raise
    except (Refused, OSError):
        return {}
    return fields(reply)


def ask(
    port: int,
    password: str | None,
    *commands: Words,
    timeout: float = 2.0,
    until: float | None = None,
    host: str = HOST,
    username: str | None = None,
) -> list[Any]:
    """Return the replies to `commands`: bytes, numbers, None, and lists of these.

    `timeout` is in seconds, for the connection and until each reply is whole; `until` is a moment
    of the monotonic clock that no reply exceeds. A `password` is ignored if the server has none.
    Raises Refused for an error reply, OSError if there is no reply.
    """
    words = [each for each in ("AUTH", username, password) if each is not None]
    login: list[Words] = [] if password is None else [words]
    with socket.create_connection((host, port), timeout) as connection:
        connection.sendall(b"".join(_packed(each) for each in (*login, *commands)))
        deadline = Deadline(timeout, until)
        with io.BufferedReader(_Pieces(connection, deadline)) as stream:
            for _ in login:
                _log_in(stream)
            replies = []
            for _ in commands:
                deadline.restart()
                replies.append(_reply(stream))
            return replies


class _Pieces(io.RawIOBase):
    """A socket as a raw stream, held to a deadline."""

    def __init__(self, connection: socket.socket, deadline: Deadline) -> None:
        self._connection = connection
        self._deadline = deadline

    def readable(self) -> bool:
        """Return True: the stream is for reading."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer and return the number of bytes. Raises TimeoutError at the deadline."""
        self._connection.settimeout(self._deadline.left())
        count = self._connection.recv_into(buffer)
        self._deadline.received(count)
        return count


def _log_in(stream: BinaryIO) -> None:
    try:
        _reply(stream)
    except Refused as error:
        is_denied = str(error).startswith(_DENIED)
        if is_denied or not any(each in str(error) for each in _NO_PASSWORD_ASKED):
            raise


def _packed(words: Words) -> bytes:
    encoded = [
        word if isinstance(word, bytes) else str(word).encode("utf-8", "surrogateescape")
        for word in words
    ]
    return b"*%d\r\n" % len(encoded) + b"".join(
        b"$%d\r\n%s\r\n" % (len(word), word) for word in encoded
    )


def _reply(stream: BinaryIO) -> Any:
    line = stream.readline(65_536)
    if not line.endswith(b"\r\n"):
        raise ConnectionResetError
    kind, rest = line[:1], line[1:-2]
    if kind == b"-":
        text = rest.decode("utf-8", "replace")
        if text.startswith(_DENIED):
            # The rest is a page of advice on how to set up the server.
            text = text.partition(". ")[0]
        raise (ProbeLoginRefused if text.startswith(("NOAUTH", "WRONGPASS")) else Refused)(text)
    if kind == b"+":
        return rest
    if kind in b":$*" and rest.removeprefix(b"-").isdigit():
        number = int(rest)
        if kind == b":":
            return number
        if number < 0:
            return None
        if number > _MOST:
            raise ConnectionResetError
        if kind == b"*":
            return [_reply(stream) for _ in range(number)]
        return stream.read(number + 2)[:-2]
    return line[:-2]
