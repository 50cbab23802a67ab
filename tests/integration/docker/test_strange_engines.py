"""The engine's address leads to no engine, a broken one, or one that does not answer."""

from __future__ import annotations

import json
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.stack_fixtures import Stack

# conftest.py keeps this from being collected there.
assert sys.platform != "win32"

VERSION = json.dumps({"ApiVersion": "1.41"}).encode()


def _reply(status: int, body: bytes, kind: str = "application/json") -> bytes:
    head = f"HTTP/1.1 {status} Said\r\nContent-Type: {kind}\r\nConnection: close\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


@contextmanager
def _listener(path: Path, answer: Callable[[bytes], bytes]) -> Iterator[str]:
    """Yield the address of a listener that answers the first line of each request."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        def serve() -> None:
            with suppress(OSError):
                while True:
                    client, _ = listener.accept()
                    with client, client.makefile("rb") as stream, suppress(OSError):
                        line = stream.readline()
                        while stream.readline().strip():
                            pass
                        client.sendall(answer(line))

        threading.Thread(target=serve, daemon=True).start()
        yield f"unix://{path}"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (_reply(500, b'{"message": "boom"}'), "answers with the status 500: boom."),
        (_reply(500, b"[]"), "answers with the status 500"),
        (_reply(503, b"<html><b>Busy</b></html>", "text/html"), "the status 503: Busy."),
        (_reply(404, b"404 page not found", "text/plain"), "the status 404: 404 page not found."),
        (_reply(403, b'{"message": "denied"}'), "the status 403: denied."),
        (_reply(200, b"<html>Hello</html>", "text/html"), "is no Docker Engine: "),
        (_reply(200, b"null"), "is no Docker Engine: "),
        (_reply(200, b"[]"), "is no Docker Engine"),
        (_reply(200, b"{}"), "is no Docker Engine: 'ApiVersion' is missing"),
        (_reply(200, b'{"ApiVersion": "x"}'), "is no Docker Engine"),
        (_reply(200, b'{"ApiVersion": 5}'), "is no Docker Engine"),
        (_reply(200, b"[" * 100_000), "is no Docker Engine"),
        (_reply(200, b'{"ApiVersion": "1.10"}'), "is too old: "),
        (b"-ERR unknown command 'GET'\r\n", "is no Docker Engine: -ERR unknown command"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{", "closes the connection"),
        (b"", "closes the connection"),
    ],
)
def test_what_is_no_engine_is_told(asking: Stack, answer: bytes, words: str) -> None:
    """The error has its own words and its address, and a hint that fits them."""
    with _listener(asking.folder / "engine.sock", lambda _line: answer) as address:
        done = asking("redis", "status", env={"DOCKER_HOST": address})

    assert done.status == 6, done.err
    assert address in done.err
    assert words in done.err
    assert "→" in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    ("answer", "status", "words"),
    [
        (_reply(500, b'{"message": "boom"}'), 1, "Docker refused: boom."),
        (_reply(500, b'{"cause": "boom"}'), 1, "Docker refused: "),
        (_reply(502, b"<html><p>Bad Gateway</p></html>"), 1, "Docker refused: Bad Gateway."),
        (_reply(200, b"<html>Hello</html>"), 1, "does not answer as Docker does"),
        (_reply(200, b"1"), 1, "does not answer as Docker does"),
        (_reply(200, b"[{}]"), 1, "'Labels' is missing"),
        (_reply(200, b"{}"), 1, "does not answer as Docker does"),
        (b"", 6, "stopped answering"),
    ],
)
@pytest.mark.parametrize("command", ["status", "up"])
def test_an_engine_that_fails_later(
    asking: Stack, command: str, answer: bytes, status: int, words: str
) -> None:
    """It answers its version as Docker does, and nothing else."""

    def later(line: bytes) -> bytes:
        return _reply(200, VERSION) if b"/version" in line else answer

    with _listener(asking.folder / "engine.sock", later) as address:
        done = asking("redis", command, env={"DOCKER_HOST": address})

    assert done.status == status, done.err
    assert words in done.err
    assert "Traceback" not in done.err


_PULLING = b'{"status":"Downloading","id":"a1","progressDetail":{"current":1,"total":9}}\r\n'
_CHUNKED = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
)


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


@pytest.mark.parametrize(
    ("pulled", "status", "words"),
    [
        (_CHUNKED + _chunk(_PULLING), 6, "stopped answering: its answer breaks off."),
        (_CHUNKED + _chunk(_PULLING)[:40], 6, "stopped answering: its answer breaks off."),
        (_CHUNKED + b"half of what?", 6, "stopped answering: its answer breaks off."),
        (_CHUNKED + _chunk(_PULLING[:30]) + _chunk(b""), 1, "does not answer as Docker does"),
        (_CHUNKED + _chunk(b"[5]") + _chunk(b""), 1, "does not answer as Docker does"),
    ],
    ids=["between", "within", "garbage", "half", "list"],
)
def test_an_engine_that_ends_in_the_middle_of_a_pull(
    asking: Stack, pulled: bytes, status: int, words: str
) -> None:
    """Whether it ends between two events or within one."""

    def answer(line: bytes) -> bytes:
        if b"/images/create" in line:
            return pulled
        if b"/images/" in line:
            return _reply(404, b'{"message": "No such image"}')
        return _reply(200, VERSION if b"/version" in line else b"[]")

    with _listener(asking.folder / "engine.sock", answer) as address:
        done = asking("redis", "up", env={"DOCKER_HOST": address})

    assert done.status == status, done.err
    assert words in done.err
    assert "Traceback" not in done.err
