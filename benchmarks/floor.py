"""The least that a list of sessions can cost in Python: one socket, hiredis and msgspec alone.

`session list -o jsonl` is measured against it. Usage: python -m benchmarks.floor PORT [count]: with
`count`, messages are only counted, and not decoded.
"""

import sys
from typing import Any

import msgspec

from benchmarks.raw_redis import RawRedis


class Message(msgspec.Struct):
    """One message of a conversation."""

    role: str
    content: Any


class Session(msgspec.Struct):
    """A decoded value."""

    status: str
    messages: list[Message]
    updatedAt: float  # noqa: N815 - the bot's name


class Counted(msgspec.Struct):
    """A value whose messages are counted but not decoded."""

    status: str
    messages: list[msgspec.Raw]
    updatedAt: float  # noqa: N815 - the bot's name


def main() -> None:
    """Run SCAN, PTTL and MGET one batch after the other, and decode each value."""
    redis = RawRedis(int(sys.argv[1]))
    shape: type[Session | Counted] = Counted if sys.argv[2:] == ["count"] else Session
    decode = msgspec.json.Decoder(shape).decode
    cursor, count = b"0", 0
    while True:
        scan = redis.ask((b"SCAN", cursor, b"MATCH", b"wh:session:*", b"COUNT", b"1000"))
        cursor, keys = scan[0]
        *ttls, values = redis.ask(*((b"PTTL", key) for key in keys), (b"MGET", *keys))
        for key, ttl_ms, value in zip(keys, ttls, values, strict=True):
            # None: it has expired meanwhile.
            if value is not None:
                session = decode(value)
                count += bool((key, ttl_ms, session.status, len(session.messages), len(value)))
        if cursor == b"0":
            break
    sys.stdout.write(f"{count}\n")


if __name__ == "__main__":
    main()
