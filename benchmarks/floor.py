"""The least a list of sessions can cost in Python: one socket, hiredis, msgspec, and nothing else.

`session list -o jsonl` is measured against it. Usage: floor.py PORT
"""

import socket
import sys
from typing import Any

import hiredis
import msgspec


class Session(msgspec.Struct):
    """What a list tells of a value; `messages` are counted and not looked into."""

    status: str
    messages: list[msgspec.Raw]
    updatedAt: float  # noqa: N815 - the bot's name


def main() -> None:
    """SCAN, PTTL and MGET one batch after the other, decoding each value."""
    connection = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    reader = hiredis.Reader()
    decode = msgspec.json.Decoder(Session).decode

    def ask(*commands: tuple[Any, ...]) -> list[Any]:
        connection.sendall(b"".join(map(hiredis.pack_command, commands)))
        replies: list[Any] = []
        while len(replies) < len(commands):
            reply = reader.gets()
            if reply is False:
                reader.feed(connection.recv(1 << 20))
            else:
                replies.append(reply)
        return replies

    cursor, count = b"0", 0
    while True:
        scan = ask((b"SCAN", cursor, b"MATCH", b"wh:session:*", b"COUNT", b"1000"))
        cursor, keys = scan[0]
        *ttls, values = ask(*((b"PTTL", key) for key in keys), (b"MGET", *keys))
        for key, ttl_ms, value in zip(keys, ttls, values, strict=True):
            session = decode(value)
            count += bool((key, ttl_ms, session.status, len(session.messages), len(value)))
        if cursor == b"0":
            break
    sys.stdout.write(f"{count}\n")


if __name__ == "__main__":
    main()
