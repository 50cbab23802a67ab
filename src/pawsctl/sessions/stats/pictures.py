"""The memory of the bot's temporary pictures, which have keys of their own."""

import time
from collections.abc import Iterator

import msgspec

from pawsctl.connection import Connection, ErrorReply, Node, raise_for_error

_PATTERN = b"temp_image:*"
_STEP = 1_000
# Seconds for all of a pass: it looks at every key of the server to find a few.
_MOST_SECONDS = 3.0


class Pictures(msgspec.Struct, frozen=True):
    """The number of pictures, and the bytes of memory that they take.

    If not `complete`, there may be more of both; `reason` says why.
    """

    keys: int
    bytes: int
    complete: bool
    reason: str = ""


def measure(connection: Connection) -> Pictures | None:
    """Count pictures on every primary that answers; None if there are none.

    Their values are not read. Raises RedisUnreachable.
    """
    until = time.monotonic() + _MOST_SECONDS
    count = size = 0
    reason = ""
    nodes, silent = connection.answering()
    if silent:
        reason = f"{', '.join(map(str, silent))} does not answer"
    for node in nodes:
        names: set[bytes] = set()
        for found in _scanned(node, until):
            if isinstance(found, str):
                reason = found
                break
            new = [name for name in found if name not in names]
            names.update(new)
            for told in node.pipeline([("MEMORY", "USAGE", name) for name in new]):
                if isinstance(told, ErrorReply):
                    reason = f"MEMORY USAGE was refused ({told})"
                    count += 1
                elif isinstance(told, int):
                    count, size = count + 1, size + told
    return Pictures(count, size, not reason, reason) if count or reason else None


def _scanned(node: Node, until: float) -> Iterator[list[bytes] | str]:
    """Yield the names of a server's pictures in lists; at last a reason if those are not all."""
    cursor: bytes | int = b"0"
    while True:
        reply = node.pipeline([("SCAN", cursor, "MATCH", _PATTERN, "COUNT", _STEP)])[0]
        if isinstance(reply, ErrorReply):
            yield f"SCAN was refused ({reply})"
            return
        cursor, names = raise_for_error(reply)
        if names:
            yield names
        if cursor in (b"0", 0):
            return
        if time.monotonic() > until:
            yield f"{_MOST_SECONDS:g} s have passed"
            return
