"""Who uses a port: a program that listens, a connection, or one that has just ended."""

import contextlib
import os
import socket
import sys

import pytest

from pawsctl.stack.engine import ports
from tests.ports import free_port

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="other systems tell only root of connections"
)


def _bound(client: socket.socket) -> int:
    """Bind a socket to a port that no connection has had for a minute, and return that."""
    while True:
        port = free_port()
        with contextlib.suppress(OSError):
            client.bind(("127.0.0.1", port))
            return port


def test_a_port_without_a_listener_is_not_said_to_have_one() -> None:
    """An outgoing connection may have any port; after its end, the system keeps it for a minute."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = socket.socket()
        # The system gives nobody else's connection this port.
        port = _bound(client)
        client.connect(server.getsockname())
        accepted, _ = server.accept()
        is_free_while_used = ports.is_free(port)
        used = ports.use(port)
        client.close()
        assert accepted.recv(1) == b""
        accepted.close()
        ended = ports.use(port)

    assert not is_free_while_used
    assert used.who.startswith("an outgoing connection of ")
    assert f"(process {os.getpid()})" in used.who
    assert "nobody listens" in used.who
    assert ended.who == "a connection that has just ended: nobody listens there"
    assert "minute" in ended.remedy


def test_a_listener_counts_before_its_own_connections() -> None:
    """Connections of a server have its port, too."""
    with (
        socket.create_server(("127.0.0.1", free_port())) as server,
        socket.create_connection(server.getsockname()),
    ):
        accepted, _ = server.accept()
        used = ports.use(server.getsockname()[1])
        accepted.close()

    assert f"(process {os.getpid()})" in used.who
    assert used.remedy == "Stop that"
