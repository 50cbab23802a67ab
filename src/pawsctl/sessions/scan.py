"""One pass over many keys: SCAN, and what is asked about each batch of keys it finds.

The next batch is asked for before the last one is handed out, so that Redis works while the caller
does: this doubles the speed of a pass that decodes every value.
"""

from collections.abc import Callable, Iterator
from typing import Any

from pawsctl.connection import Command, Node, checked
from pawsctl.sessions.keys import SESSION_PREFIX

# Keys asked for at a time. Redis's default of 10 makes a pass 25 times slower; far more than this
# would hold up other clients, since Redis answers one command at a time.
BATCH = 500

SESSIONS = SESSION_PREFIX.encode() + b"*"

Ask = Callable[[list[bytes]], list[Command]]
Batch = tuple[list[bytes], list[Any]]


def batches(node: Node, pattern: bytes, ask: Ask) -> Iterator[Batch]:
    """Every key that matches `pattern`, once, in batches, with the replies to what `ask` asked.

    SCAN may tell a key twice: keys are remembered by their hash (8 bytes of entropy, salted in each
    process), so a pass over a million needs 70 MB. Raises what the connection raises; a refused
    SCAN is OperationFailed, a refused reply stands in the batch.
    """
    known: set[int] = set()
    waiting: Batch | None = None
    asked = 0
    node.send([_scan(b"0", pattern)])
    cursor, keys = _cursor_and_keys(node.receive(1)[0], known)
    while True:
        commands = ask(keys) if keys else []
        is_last = cursor == b"0"
        node.send(commands if is_last else [*commands, _scan(cursor, pattern)])
        asked = len(commands)
        if waiting is not None:
            yield waiting
        replies = node.receive(asked if is_last else asked + 1)
        waiting = (keys, replies[:asked]) if keys else None
        if is_last:
            break
        cursor, keys = _cursor_and_keys(replies[-1], known)
    if waiting is not None:
        yield waiting


def _scan(cursor: bytes, pattern: bytes) -> Command:
    return (b"SCAN", cursor, b"MATCH", pattern, b"COUNT", BATCH)


def _cursor_and_keys(reply: Any, known: set[int]) -> tuple[bytes, list[bytes]]:
    cursor, keys = checked(reply)
    fresh = []
    for key in keys:
        number = hash(key)
        if number not in known:
            known.add(number)
            fresh.append(key)
    return cursor, fresh
