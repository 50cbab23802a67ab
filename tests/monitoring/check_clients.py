"""Clients that behave badly, and a log that nobody reads, keep nobody else waiting."""

import re
import socket

import pytest

from tests.cli_runner import Pawsctl
from tests.serving import DEADLINE_SECONDS, DEVELOPMENT, serving

_HEAD = b"Host: localhost\r\nContent-Length: 14\r\n\r\n"


@pytest.mark.parametrize("signal_comes", [False, True])
def test_half_a_request_is_not_waited_for_without_end(pawsctl: Pawsctl, signal_comes: bool) -> None:
    """It is closed after a while, or answered with 408; at the end of the server, with 503."""
    begun = (b"", b"GET /livez HT", b"POST /api/health HTTP/1.1\r\n" + _HEAD + b"{")
    with serving(pawsctl, env=DEVELOPMENT) as served:
        clients = [socket.create_connection(("127.0.0.1", served.port)) for _ in begun]
        for client, sent in zip(clients, begun, strict=True):
            client.settimeout(DEADLINE_SECONDS)
            client.sendall(sent)
        assert served.ask().status == 200
        if signal_comes:
            served.process.terminate()
        answers = []
        for client in clients:
            with client:
                answers.append(client.recv(1_000)[:12])
    assert answers == [b"", b"", b"HTTP/1.1 503" if signal_comes else b"HTTP/1.1 408"]


def test_a_log_that_nobody_reads_delays_no_answer(pawsctl: Pawsctl) -> None:
    """The pipe is full after some hundred lines; what is lost is counted."""
    process = pawsctl.start("serve", "--port", "0")
    assert process.stderr is not None
    found = re.search(rb":(\d+), for Redis", process.stderr.readline())
    assert found is not None
    try:
        with socket.create_connection(("127.0.0.1", int(found[1]))) as client:
            client.settimeout(DEADLINE_SECONDS)
            for _ in range(4_000):
                client.sendall(b"HEAD /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
                assert client.recv(4_000).startswith(b"HTTP/1.1 200")
        process.terminate()
        assert process.wait(DEADLINE_SECONDS) == 0
    finally:
        process.kill()
        _out, log = process.communicate()
    assert b"GET" not in log


def test_uvicorn_says_nothing_by_itself(pawsctl: Pawsctl) -> None:
    """Bytes that are no HTTP are one line of the log."""
    with serving(pawsctl) as served:
        for _ in range(3):
            with socket.create_connection(("127.0.0.1", served.port)) as client:
                client.sendall(b"\x16\x03\x01\r\n\r\n")
                assert client.recv(100).startswith(b"HTTP/1.1 400")
        served.ask(path="/livez")
        served.logged("GET /livez")
        assert served.log.count("Invalid HTTP") == 1
