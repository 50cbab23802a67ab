"""One server's part of a pass over many keys: SCAN, and what is asked about each batch it finds.

The next batch is asked for before the last one is handed out, so that Redis works while the caller
does: this doubles the speed of a pass that decodes every value.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from pawsctl.connection import Command, Node, Substitutes, has_code, raise_for_error
from pawsctl.connection.scan.glob import matcher
from pawsctl.connection.scan.portions import Portions
from pawsctl.errors import HungUp, OperationFailed, RedisNotReady, RedisUnreachable

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

Ask = Callable[[list[bytes]], list[Command]]
Batch = tuple[list[bytes], list[Any]]


class Search(NamedTuple):
    """What a pass looks for: keys that match a glob, of one Redis type or, where empty, of any.

    `size` is how many keys are looked at, and asked about, at a time. With `values`, what is asked
    last about keys are their values, which may be large.
    """

    pattern: bytes
    kind: bytes = b""
    size: int = KEYS
    values: bool = False

    def step(self, cursor: bytes) -> Command:
        """The SCAN that goes on from a cursor."""
        kind = (b"TYPE", self.kind) if self.kind else ()
        return (b"SCAN", cursor, b"MATCH", self.pattern, b"COUNT", self.size, *kind)


class SeenKeys:
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


def node_batches(
    node: Node,
    search: Search,
    ask: Ask,
    known: SeenKeys,
    *,
    substitutes: Substitutes,
    portions: Portions,
) -> Iterator[Batch]:
    """One server's part of a pass; what it refuses is asked as it may take it.

    Where it hangs up at values that are too many, it is looked at anew, with fewer at a time.
    Raises RedisUnreachable where it goes away, and OperationFailed where it refuses, when all it
    has answered has been handed out and what it has not is no longer known.
    """
    search = search._replace(size=_size(node, search.size))
    while True:
        try:
            yield from _Walk(node, search, ask, known, substitutes, portions).batches()
        except HungUp:
            # No cursor is worth anything here: it may be another server by now.
            if not portions.learnt():
                raise
        else:
            return


class _Walk(NamedTuple):
    """A walk over one server's keys, from the first cursor to the last."""

    node: Node
    search: Search
    ask: Ask
    known: SeenKeys
    substitutes: Substitutes
    portions: Portions

    def batches(self) -> Iterator[Batch]:
        # Keys that were asked about, and a batch whose replies have come: neither is handed out.
        keys: list[bytes] = []
        ready: deque[Batch] = deque()
        try:
            yield from self._steps(keys, ready)
        except GeneratorExit:
            # Who stops early leaves replies under way: the next command would take them for its
            # own.
            self.node.close()
            self.known.forget([*keys, *(name for names, _ in ready for name in names)])
            raise
        except (OperationFailed, RedisUnreachable):
            self.known.forget(keys)
            yield from ready
            raise

    def _steps(self, keys: list[bytes], ready: deque[Batch]) -> Iterator[Batch]:
        turns, matches = _Turns(), matcher(self.search.pattern).fullmatch
        self.node.send([self.search.step(b"0")])
        step = self.node.receive(1)[0]
        following = True
        while following:
            cursor, told = _cursor_and_keys(step)
            # Some servers take no heed of MATCH: what they tell besides is another application's.
            keys[:] = self.known.fresh(filter(matches, told))
            following = cursor != b"0"
            if following:
                turns.take(cursor)
            is_apart = self.search.values and self.portions.may_be_large(len(keys))
            commands = self._commands(list(keys), is_apart=is_apart)
            wires = self.substitutes.wires(commands)
            sent = [each for wire in wires for each in wire]
            self.node.send([*sent, self.search.step(cursor)] if following else sent)
            if ready:
                yield ready.popleft()
            *replies, step = [*self.node.receive(len(sent) + following), None][: len(sent) + 1]
            # Nothing is under way here.
            answers = self.substitutes.settled(commands, wires, replies, self.node.pipeline)
            if is_apart:
                yield from self._in_portions(keys, answers)
            elif keys and self.search.values and not self.portions.came(answers[-1]):
                yield from self._in_portions(keys, self.node.pipeline(_sizes_of(keys)))
            elif keys:
                ready.append((list(keys), answers))
            keys.clear()
        if ready:
            yield ready.popleft()

    def _commands(self, keys: list[bytes], *, is_apart: bool) -> list[Command]:
        if is_apart or not keys:
            return _sizes_of(keys)
        if self.search.values:
            self.portions.begin(list(keys))
        return self.ask(keys)

    def _in_portions(self, keys: list[bytes], sizes: Sequence[Any]) -> Iterator[Batch]:
        groups = self.portions.groups(list(keys), sizes)
        for batch in in_portions(self.node, groups, self.ask, self.substitutes, self.portions):
            del keys[: len(batch[0])]
            yield batch


def _sizes_of(keys: Sequence[bytes]) -> list[Command]:
    return [("STRLEN", key) for key in keys]


def in_portions(
    node: Node,
    groups: Iterable[list[bytes]],
    ask: Ask,
    substitutes: Substitutes,
    portions: Portions,
) -> Iterator[Batch]:
    """The keys of some groups, and the replies; nothing may be under way.

    A value that is too large is a TooLarge in its place.
    """
    for group in groups:
        commands = ask(group)
        if not portions.refused(group[0]):
            portions.begin(group)
            answers = substitutes.asked(commands, node.pipeline)
            if portions.came(answers[-1]):
                yield group, answers
                continue
            if len(group) > 1:
                middle = len(group) // 2
                halves = (group[:middle], group[middle:])
                yield from in_portions(node, halves, ask, substitutes, portions)
                continue
        answers = substitutes.asked(commands[:-1], node.pipeline)
        yield group, [*answers, [portions.refused(group[0])]]


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


def _cursor_and_keys(reply: Any) -> tuple[bytes, list[bytes]]:
    if has_code(reply, "LOADING", "MASTERDOWN"):
        raise RedisNotReady(
            f"Redis refused: {str(reply).rstrip('.')}.", hint="Try again in a moment."
        )
    cursor, keys = raise_for_error(reply)
    # Some servers send it as an integer.
    return cursor if isinstance(cursor, bytes) else b"%d" % cursor, keys


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
