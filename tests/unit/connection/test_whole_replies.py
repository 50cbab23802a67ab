"""Replies read straight from hiredis are those that redis-py would return or raise."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from redis.connection import Connection

from pawsctl.connection.sockets.whole_replies import next_reply

MANY = (
    b"$3\r\nabc\r\n", b":7\r\n", b"$-1\r\n", b"+OK\r\n", b"*0\r\n", b"*2\r\n:1\r\n$1\r\nx\r\n",
    b"*1\r\n$-1\r\n", b"*1\r\n*1\r\n:1\r\n", b"*2\r\n-ERR no\r\n:1\r\n", b"-ERR no\r\n",
    b"-MOVED 1 a:1\r\n", b"-LOADING wait\r\n", b"*1\r\n-ERR max number of clients reached\r\n",
    b">2\r\n$4\r\nnews\r\n:1\r\n", b",1.5\r\n", b"#t\r\n", b"%1\r\n$1\r\na\r\n:1\r\n", b"_\r\n",
    b"~1\r\n:1\r\n",
)  # fmt: skip


def waits() -> None:
    """Do nothing before waiting."""


@contextmanager
def connected(sent: bytes) -> Iterator[Any]:
    """Give redis-py's connection to a peer that has sent something, and nothing more to come."""
    ours, theirs = socket.socketpair()

    class Paired(Connection):
        def _connect(self) -> socket.socket:
            return ours

    connection: Any = Paired(protocol=2, driver_info=None)  # type: ignore[no-untyped-call]
    with theirs:
        connection.connect()
        theirs.sendall(sent)
        theirs.shutdown(socket.SHUT_WR)
        yield connection
        connection.disconnect()


def outcome(read: Any) -> Any:
    """Return what is read, errors in words."""
    try:
        return repr(read())
    except Exception as error:  # noqa: BLE001 - whatever it is, both must raise it
        return type(error), str(error).partition("(")[0]


@pytest.mark.parametrize("end", [b"", b"$9\r\nbroken", b"HTTP/1.1 400\r\n"])
def test_replies_are_as_redis_py_reads_them(end: bytes) -> None:
    """Whatever their types, also errors, messages that nobody asked for, and the end."""
    sent = b"".join(MANY) + end
    with connected(sent) as slow, connected(sent) as quick:
        for _ in range(len(MANY) + 1):
            expected = outcome(lambda: slow.read_response(disconnect_on_error=False))
            assert outcome(lambda: next_reply(quick, before_waiting=waits)) == expected


def test_without_hiredis_redis_py_reads() -> None:
    """Its own parser has no reader of hiredis's."""
    from redis._parsers import _RESP2Parser

    with connected(b"") as plain:
        pass
    plain.set_parser(_RESP2Parser)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        plain._connect = lambda: ours
        plain.connect()
        theirs.sendall(b"$3\r\nabc\r\n:7\r\n")
        assert [
            next_reply(plain, before_waiting=waits),
            next_reply(plain, before_waiting=waits),
        ] == [b"abc", 7]
        plain.disconnect()
