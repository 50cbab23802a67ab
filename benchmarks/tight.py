"""The work of `session list -o jsonl` in one tight loop, for a server and sessions without a fault.

It reads as the list does: in batches of the list's size, with one script for their TTLs, the next
batch asked for before the last is decoded, no reply waited for without end. It tells each key once
and only those that match, looks whether the replies are of the types that they should be, decodes,
checks every rule for a session as the bot writes it, encodes, and looks whether the lines hold a
character that a terminal must not get. Sessions that are not sound are left out.

Usage: python -m benchmarks.tight PORT BATCH.
"""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec

from benchmarks.raw_redis import RawRedis

RESULTS = "__TOOL_RESULTS__"
PREFIX = b"wh:session:"
TTLS = """\
local left = {}
for number, key in ipairs(ARGV) do left[number] = redis.call('PTTL', key) end
return left"""
# Printable ASCII and the newline: in lines of nothing else there is nothing to escape.
HARMLESS = bytes((*range(0x20, 0x7F), 0x0A))


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


def batches(redis: RawRedis, size: int) -> Iterator[Iterable[tuple[bytes, int, bytes]]]:
    """Yield keys, milliseconds left and values, with the next batch under way."""
    seen: set[int] = set()
    ready: Iterable[tuple[bytes, int, bytes]] = ()
    cursor = b"0"
    ((cursor, found),) = redis.ask(step(cursor, size))
    while True:
        names = [name for name in found if name.startswith(PREFIX) and hash(name) not in seen]
        seen.update(map(hash, names))
        following = cursor != b"0"
        redis.send(
            (b"EVAL", TTLS, b"0", *names),
            *([(b"MGET", *names)] if names else []),
            *([step(cursor, size)] if following else []),
        )
        yield ready
        replies = redis.receive(1 + bool(names) + following)
        if following:
            cursor, found = replies.pop()
        ttls, values = replies if names else (*replies, [])
        ready = zip(names, ttls, values, strict=True)
        if set(map(type, ttls)) != {int} or set(map(type, values)) != {bytes} or -2 in ttls:
            # Some have expired meanwhile.
            ready = [each for each in ready if each[1] != -2 and type(each[2]) is bytes]
        if not following:
            yield ready
            return


def step(cursor: bytes, size: int) -> tuple[Any, ...]:
    """Return the SCAN that goes on from a cursor."""
    return (b"SCAN", cursor, b"MATCH", PREFIX + b"*", b"COUNT", size)


def lines(items: list[Item], encode: Callable[[list[Item]], bytes]) -> bytes:
    """Return the lines of some sessions."""
    found = encode(items)
    if found.translate(None, HARMLESS):
        raise ValueError("there is something to escape")
    return found


def main() -> None:
    """List all sessions."""
    decode, encode = msgspec.json.Decoder(Session).decode, msgspec.json.Encoder().encode_lines
    now_ms = time.time() * 1000
    write = sys.stdout.buffer.write
    items: list[Item] = []
    port, size = map(int, sys.argv[1:])
    for batch in batches(RawRedis(port), size):
        for key, ttl_ms, value in batch:
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
        if len(items) >= 200:
            write(lines(items, encode))
            items.clear()
    write(lines(items, encode))


if __name__ == "__main__":
    main()
