"""The work of `session list -o jsonl` on top of `floor.py`, in one tight loop, without its care.

It reads as the floor does, in batches of the list's size, tells each key once, decodes, checks
every rule for a session as the bot writes it, and encodes. It knows no failure, no other shape and
no other format, and says nothing of sessions that are not sound. Usage: tight.py PORT.
"""

import socket
import sys
import time
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import hiredis
import msgspec

RESULTS = "__TOOL_RESULTS__"
BATCH = b"50"


class Text(msgspec.Struct, gc=False, forbid_unknown_fields=True, tag_field="type", tag="text"):
    """A text block."""

    text: Annotated[str, msgspec.Meta(min_length=1)]


class Call(msgspec.Struct, gc=False, forbid_unknown_fields=True, tag_field="type", tag="tool_use"):
    """A tool call."""

    id: str
    name: str
    input: Any


class Answer(msgspec.Struct, gc=False):
    """The result of a tool call."""

    tool_use_id: str


class Message(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """One message of a conversation."""

    role: Literal["user", "assistant"]
    content: str | list[Text | Call]


class Session(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """A decoded value."""

    status: str
    messages: list[Message]
    updatedAt: float  # noqa: N815 - the bot's name


class Item(msgspec.Struct, gc=False):
    """A line of the list."""

    phone: str
    key: str
    ttl: int
    status: str
    messages: int
    updated_at: datetime
    bytes: int
    problem: str | None


answers = msgspec.json.Decoder(list[Answer]).decode


def is_sound(  # noqa: PLR0911 - a return for each rule
    key: bytes, ttl_ms: int, session: Session, now_ms: float
) -> bool:
    """Check all that `session list` checks."""
    if not (0 <= ttl_ms <= 21_600_000 and 0 <= session.updatedAt <= now_ms):
        return False
    if len(session.messages) > 24 or key.rstrip(b"0123456789") != b"wh:session:+":
        return False
    call: Call | None = None
    for message in session.messages:
        content = message.content
        if type(content) is str:
            if content.startswith(RESULTS):
                told = answers(content[16:])
                if call is None or len(told) != 1 or told[0].tool_use_id != call.id:
                    return False
                call = None
            elif call is not None:
                return False
        else:
            if call is not None or message.role == "user":
                return False
            for block in content:
                if type(block) is Call:
                    if call is not None:
                        return False
                    call = block
    return call is None


def main() -> None:
    """List all sessions."""
    connection = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    reader = hiredis.Reader()
    decode, encode = msgspec.json.Decoder(Session).decode, msgspec.json.Encoder().encode_lines
    now_ms = time.time() * 1000
    write = sys.stdout.buffer.write

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

    cursor = b"0"
    seen: set[int] = set()
    items: list[Item] = []
    while True:
        scan = ask((b"SCAN", cursor, b"MATCH", b"wh:session:*", b"COUNT", BATCH))
        cursor, found = scan[0]
        names = [name for name in found if hash(name) not in seen]
        seen.update(map(hash, names))
        *ttls, values = ask(*((b"PTTL", name) for name in names), (b"MGET", *names))
        for key, ttl_ms, value in zip(names, ttls, values, strict=True):
            if value is None:
                continue
            session = decode(value)
            if not is_sound(key, ttl_ms, session, now_ms):
                continue
            name = key.decode()
            items.append(
                Item(
                    name[11:],
                    name,
                    (ttl_ms + 500) // 1000,
                    session.status,
                    len(session.messages),
                    datetime.fromtimestamp(session.updatedAt / 1000, UTC),
                    len(value),
                    None,
                )
            )
        if len(items) >= 200 or cursor == b"0":
            write(encode(items))
            items.clear()
        if cursor == b"0":
            return


if __name__ == "__main__":
    main()
