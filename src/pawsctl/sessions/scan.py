"""One server's part of a pass over many keys: SCAN, and what is asked about each batch it finds.

The next batch is asked for before the last one is handed out, so that Redis works while the caller
does: this doubles the speed of a pass that decodes every value.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from pawsctl.connection import Command, Node, Substitutes, checked, has_code
from pawsctl.errors import OperationFailed, RedisNotReady, RedisUnreachable
from pawsctl.sessions.keys import SESSION_PREFIX

# How many keys are asked about at a time, without and with their values. Redis serves one command
# at a time: with these sizes another client's slowest replies take twice as long as beside an idle
# Redis, with 500 values 25 times. It costs a list a tenth.
KEYS = 200
VALUES = 50

# Keys written or deleted at a time, where every round trip is waited for.
WRITTEN = 500

# From a server that is further away than this, in seconds there and back, more is asked for at a
# time, or a pass would be spent on the way. The others that wait have a long way too, as a rule.
_NEAR = 0.0003
_MOST_TIMES = 10
_MOST = 1_000

SESSIONS = SESSION_PREFIX.encode() + b"*"

Ask = Callable[[list[bytes]], list[Command]]
Batch = tuple[list[bytes], list[Any]]


class Search(NamedTuple):
    """What a pass looks for: keys that match a glob, of one Redis type or, where empty, of any.

    `size` is how many keys are looked at, and asked about, at a time.
    """

    pattern: bytes = SESSIONS
    kind: bytes = b""
    size: int = KEYS

    def step(self, cursor: bytes) -> Command:
        """The SCAN that goes on from a cursor."""
        kind = (b"TYPE", self.kind) if self.kind else ()
        return (b"SCAN", cursor, b"MATCH", self.pattern, b"COUNT", self.size, *kind)


class Known:
    """The keys of a pass so far, since SCAN may tell one twice, and two nodes may tell the same.

    They are remembered by their hash (8 bytes of entropy, salted in each process), so a pass over a
    million needs 70 MB. `once` is false where seeing a key twice does no harm.
    """

    def __init__(self, *, once: bool = True) -> None:
        self._once = once
        self._hashes: set[int] = set()

    def fresh(self, keys: Iterable[bytes]) -> list[bytes]:
        """Those that are new; from now on they are known."""
        if not self._once:
            return list(keys)
        found = list(keys)
        numbers = set(map(hash, found))
        if len(numbers) < len(found) or not self._hashes.isdisjoint(numbers):
            first = {hash(key): key for key in reversed(found)}
            found = [key for number, key in first.items() if number not in self._hashes]
        self._hashes |= numbers
        return found

    def forget(self, keys: Iterable[bytes]) -> None:
        """Take back keys of which nothing was learnt."""
        self._hashes.difference_update(map(hash, keys))


def slices(keys: Sequence[bytes], size: int) -> Iterator[Sequence[bytes]]:
    """The keys, up to `size` of them at a time."""
    for begin in range(0, len(keys), size):
        yield keys[begin : begin + size]


def asked(node: Node, commands: list[Command], substitutes: Substitutes) -> list[Any]:
    """The replies of one server, to what it takes instead where it refuses."""
    wires = substitutes.wires(commands)
    replies = node.pipeline([each for wire in wires for each in wire])
    return substitutes.settled(commands, wires, replies, node.pipeline)


def node_batches(
    node: Node, search: Search, ask: Ask, known: Known, substitutes: Substitutes
) -> Iterator[Batch]:
    """One server's part of a pass; what it refuses is asked as it may take it.

    Raises RedisUnreachable where it goes away, when all it has answered has been handed out and
    what it has not is no longer known.
    """
    waiting: Batch | None = None
    keys: list[bytes] = []
    try:
        search = search._replace(size=_size(node, search.size))
        cursor, turns = b"0", _Turns()
        node.send([search.step(cursor)])
        cursor, keys = _cursor_and_keys(node.receive(1)[0], known)
        while True:
            commands = ask(keys) if keys else []
            wires = substitutes.wires(commands)
            sent = [each for wire in wires for each in wire]
            is_last = cursor == b"0"
            if not is_last:
                turns.take(cursor)
            node.send(sent if is_last else [*sent, search.step(cursor)])
            if waiting is not None:
                ready, waiting = waiting, None
                yield ready
            replies = node.receive(len(sent) if is_last else len(sent) + 1)
            # Nothing is under way here.
            answers = substitutes.settled(commands, wires, replies[: len(sent)], node.pipeline)
            waiting = (keys, answers) if keys else None
            keys = []
            if is_last:
                break
            cursor, keys = _cursor_and_keys(replies[-1], known)
    except GeneratorExit:
        # Who stops early leaves replies under way: the next command would take them for its own.
        node.close()
        known.forget(keys)
        if waiting is not None:
            known.forget(waiting[0])
        raise
    except RedisUnreachable:
        known.forget(keys)
        if waiting is not None:
            yield waiting
        raise
    if waiting is not None:
        yield waiting


def _size(node: Node, near: int) -> int:
    """How many at a time, by the way that a message has."""
    node.connect()
    ways = []
    # The quickest tells: what else took time was no way.
    for _ in range(3):
        begun = time.perf_counter()
        node.pipeline([("PING",)])
        ways.append(time.perf_counter() - begun)
    times = int(min(ways) / _NEAR)
    return min(near * min(max(times, 1), _MOST_TIMES), _MOST)


def _cursor_and_keys(reply: Any, known: Known) -> tuple[bytes, list[bytes]]:
    if has_code(reply, "LOADING", "MASTERDOWN"):
        raise RedisNotReady(
            f"Redis refused: {str(reply).rstrip('.')}.", hint="Try again in a moment."
        )
    cursor, keys = checked(reply)
    # Some servers send it as an integer.
    return cursor if isinstance(cursor, bytes) else b"%d" % cursor, known.fresh(keys)


class _Turns:
    """Sees where cursors go round in a circle, by one that is kept for twice as many each time."""

    def __init__(self) -> None:
        self._kept = b""
        self._left = self._span = 1

    def take(self, cursor: bytes) -> None:
        """Raises OperationFailed for a cursor that came before: the pass would never end."""
        if cursor == self._kept:
            raise OperationFailed(
                f"SCAN goes round in a circle: the cursor {cursor.decode()} came again.",
                hint="Look whether a Redis answers there, or something that only resembles one.",
            )
        self._left -= 1
        if not self._left:
            self._kept = cursor
            self._span *= 2
            self._left = self._span
