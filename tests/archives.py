"""Helpers for the tests of archives: read everything stored, and write archives by hand."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from tests.servers import Server

HEADER: dict[str, Any] = {
    "format": "pawsctl sessions",
    "version": 1,
    "source": "redis://db.example:6379",
    "exported_at": "2026-01-31T12:00:00Z",
}


class Held(NamedTuple):
    """A key's value, and when it expires in ms since the epoch (-1 for never)."""

    value: bytes
    expires_at: int


def held(server: Server) -> dict[bytes, Held]:
    """Return every string key that a server holds, with its value and time of expiry."""
    keys = list(server.client.scan_iter(count=1_000))
    with server.client.pipeline(transaction=False) as pipe:
        for key in keys:
            pipe.type(key)
        strings = [key for key, kind in zip(keys, pipe.execute(), strict=True) if kind == b"string"]
        for key in strings:
            pipe.get(key)
            pipe.pexpiretime(key)
        told = pipe.execute()
    assert all(isinstance(value, bytes) for value in told[::2])
    return dict(zip(strings, map(Held, told[::2], told[1::2]), strict=True))


def assert_same(before: dict[bytes, Held], after: dict[bytes, Held]) -> None:
    """Assert the same keys and values, and times of expiry within one second."""
    assert {key: each.value for key, each in before.items()} == {
        key: each.value for key, each in after.items()
    }
    for key, each in before.items():
        assert (each.expires_at == -1) == (after[key].expires_at == -1), key
        assert abs(each.expires_at - after[key].expires_at) <= 1_000, key


def entry(phone: str, value: str, expires_at: int | None = None, **more: Any) -> dict[str, Any]:
    """Return an archive's line for one session."""
    return {
        "phone": phone,
        "key": f"wh:session:{phone}",
        "expires_at": expires_at,
        "value": value,
    } | more


def write(path: Path, lines: Iterable[Any], *, header: dict[str, Any] | None = None) -> Path:
    """Write an archive of those lines and a valid trailer; lines of text are written as is."""
    encoded = [
        line.encode() if isinstance(line, str) else json.dumps(line).encode()
        for line in (header or HEADER, *lines)
    ]
    body = b"".join(line + b"\n" for line in encoded)
    trailer = {
        "count": len(encoded) - 1,
        "checksum": f"sha256:{hashlib.sha256(body).hexdigest()}",
    }
    path.write_bytes(body + json.dumps(trailer).encode() + b"\n")
    return path
