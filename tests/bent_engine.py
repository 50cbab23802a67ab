"""A Docker Engine that refuses chosen requests: a socket in front of the real engine."""

from __future__ import annotations

import json
import os
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple


class Refusal(NamedTuple):
    """An engine's error answer to requests whose first line matches `pattern`."""

    pattern: str
    status: int
    message: str


class BentEngine:
    """Passes requests to the real engine, except those that it is to refuse.

    `requests` has the first line of each request that came.
    """

    def __init__(self, path: Path, refusals: tuple[Refusal, ...]) -> None:
        self.address = f"unix://{path}"
        self.requests: list[str] = []
        self._refusals = refusals
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        """Accept no more connections."""
        self._listener.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._handle, args=(client,), daemon=True).start()

    def _handle(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            stream = client.makefile("rb")
            line = stream.readline()
            headers = list(iter(stream.readline, b"\r\n"))
            if not line:
                return
            self.requests.append(line.decode())
            length = next(
                (
                    int(each.split(b":")[1])
                    for each in headers
                    if each.lower().startswith(b"content-length")
                ),
                0,
            )
            body = stream.read(length)
            for each in self._refusals:
                if re.match(each.pattern, line.decode()):
                    client.sendall(_answer(each))
                    return
            kept = [each for each in headers if not each.lower().startswith(b"connection")]
            with socket.socket(socket.AF_UNIX) as engine:
                engine.connect(_socket_of_the_engine())
                engine.sendall(b"".join([line, *kept, b"Connection: close\r\n\r\n", body]))
                while chunk := engine.recv(65_536):
                    client.sendall(chunk)


def _answer(refusal: Refusal) -> bytes:
    body = json.dumps({"message": refusal.message}).encode()
    return (
        b"HTTP/1.1 %d No\r\nContent-Type: application/json\r\nConnection: close\r\n"
        b"Content-Length: %d\r\n\r\n%s" % (refusal.status, len(body), body)
    )


def _socket_of_the_engine() -> str:
    return os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock").removeprefix("unix://")


@contextmanager
def bent_engine(folder: Path, *refusals: Refusal) -> Iterator[BentEngine]:
    """Yield the engine of the tests with these refusals, until the block ends."""
    engine = BentEngine(folder / "bent.sock", refusals)
    try:
        yield engine
    finally:
        engine.close()
