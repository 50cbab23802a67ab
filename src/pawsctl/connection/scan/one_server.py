"""A pass over the keys of one server: SCAN, and the caller's commands for each batch of keys.

The next batch is asked for before the last one is yielded, so that Redis works while the caller
does: this doubles the speed of a pass that decodes every value.
"""

import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from pawsctl.connection import Command, ErrorReply, Node, Substitutes, has_code, refused
from pawsctl.connection.scan.glob import matching
from pawsctl.connection.scan.portions import Portions
from pawsctl.connection.scan.seen_keys import SeenKeys
from pawsctl.errors import HungUp, OperationFailed, RedisNotReady, RedisUnreachable

# Keys per batch, without and with their values. Redis serves one command at a time: with these
# sizes another client's slowest replies take twice as long as beside an idle Redis, with 500 values
# 25 times as long. These small batches make a list a tenth slower.
KEYS = 200
VALUES = 50

# Keys written or deleted at a time; every round trip is waited for.
WRITTEN = 500

# If a round trip takes longer than this, in seconds, batches are larger, or a pass would mostly
# wait for the network. Other clients of that server are, as a rule, as far away.
_NEAR = 0.0003
_MOST_TIMES = 10
_MOST = 1_000

Ask = Callable[[list[bytes]], list[Command]]
Batch = tuple[list[bytes], list[Any]]


class Search(NamedTuple):
    """The keys that a pass looks for: those that match a glob, of one Redis type (empty: any).

    `size` is the number of keys per batch. `values` says that the last command for each batch asks
    for the values, which may be large.
    """

    pattern: bytes
    kind: bytes = b""
    size: int = KEYS
    values: bool = False

    def step(self, cursor: bytes, count: int) -> Command:
        """Return the SCAN command that goes on from a cursor, and looks at `count` keys."""
        kind = (b"TYPE", self.kind) if self.kind else ()
        return (b"SCAN", cursor, b"MATCH", self.pattern, b"COUNT", b"%d" % count, *kind)

    def next_count(self, count: int, found: int) -> int:
        """Return at how many keys the next step looks, where one of `count` has found so many.

        Where few match, it looks at more, since Redis has little else to do: a few sessions among a
        million other keys would take four times as many steps.
        """
        return self.size if found > self.size // 2 else max(self.size, min(2 * count, KEYS))


def slices(keys: Sequence[bytes], size: int) -> Iterator[Sequence[bytes]]:
    """Yield the keys in slices of up to `size`."""
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
    """Yield the batches of one server; refused commands are replaced by their substitutes.

    If the server hangs up at too many values, the scan starts again with fewer at a time, and if it
    has hung up between two commands, with its first cursor. Raises
    RedisUnreachable if the server goes away and OperationFailed if it refuses; by then, all it has
    answered has been yielded, and keys without an answer are forgotten in `known`.
    """
    search = search._replace(size=_size(node, search.size))
    while True:
        try:
            yield from _Walk(node, search, ask, known, substitutes, portions).batches()
        except HungUp:
            if not portions.learnt():
                raise
        except _VoidCursor:
            pass
        else:
            return
        # From cursor 0: each start of a server orders its keys anew, and the old cursor is void if
        # it was restarted or another one answers by now.


class _VoidCursor(Exception):
    """The server has closed the connection meanwhile: it may be another one that answers now."""


class _Walk(NamedTuple):
    """A walk over one server's keys, from the first cursor to the last."""

    node: Node
    search: Search
    ask: Ask
    known: SeenKeys
    substitutes: Substitutes
    portions: Portions

    def batches(self) -> Iterator[Batch]:
        # Keys that were found, and a batch with its replies: neither is yielded yet.
        keys: list[bytes] = []
        ready: deque[Batch] = deque()
        try:
            yield from self._steps(keys, ready)
        except GeneratorExit:
            # The caller stopped early. Replies are under way, which the next command would take
            # for its own.
            self.node.close()
            self.known.forget([*keys, *(name for names, _ in ready for name in names)])
            raise
        except (OperationFailed, RedisUnreachable, _VoidCursor):
            self.known.forget(keys)
            yield from ready
            raise

    def _steps(self, keys: list[bytes], ready: deque[Batch]) -> Iterator[Batch]:
        turns, matches, cuts = _Turns(), matching(self.search.pattern), self.node.cuts
        count = self.search.size
        self.node.send([self.search.step(b"0", count)])
        step = self.node.receive(1)[0]
        following = True
        while following:
            cursor, told = _cursor_and_keys(step)
            # Some servers ignore MATCH and return other applications' keys too.
            keys[:] = self.known.fresh(matches(told))
            following = cursor != b"0"
            if following:
                turns.take(cursor)
            count = self.search.next_count(count, len(keys))
            *others, last = _parts(keys, self.search.size)
            for names in others:
                # The values of a part, and no other last reply, differ in shape from what follows.
                yield from self._asked(names, keys, ready, goes_on=self.search.values)
            steps = [self.search.step(cursor, count)] if following else []
            step = yield from self._asked(last, keys, ready, steps, goes_on=following)
            if following and self.node.cuts != cuts:
                raise _VoidCursor
        if ready:
            yield ready.popleft()

    def _asked(
        self,
        names: list[bytes],
        keys: list[bytes],
        ready: deque[Batch],
        steps: Sequence[Command] = (),
        *,
        goes_on: bool,
    ) -> Generator[Batch, None, Any]:
        """Ask about `names`, the first of `keys`, and yield what is ready meanwhile.

        `steps` is the next step of SCAN if it is to be asked for as well: returns its reply, else
        None. `goes_on` is as in `Node.receive`.
        """
        is_apart = self.search.values and self.portions.may_be_large(len(names))
        commands = self._commands(names, is_apart=is_apart)
        wires = self.substitutes.wires(commands)
        sent = [each for wire in wires for each in wire]
        self.node.send([*sent, *steps])
        if ready:
            yield ready.popleft()
        replies = self.node.receive(len(sent) + len(steps), goes_on=goes_on)
        told = replies.pop() if steps else None
        # Nothing is under way here.
        answers = self.substitutes.settled(commands, wires, replies, self.node.pipeline)
        if is_apart:
            yield from self._in_portions(names, keys, answers)
        elif names and self.search.values and not self.portions.came(answers[-1]):
            yield from self._in_portions(names, keys, self.node.pipeline(_sizes_of(names)))
        elif names:
            ready.append((names, answers))
            del keys[: len(names)]
        return told

    def _commands(self, names: list[bytes], *, is_apart: bool) -> list[Command]:
        if is_apart or not names:
            return _sizes_of(names)
        if self.search.values:
            self.portions.begin(names)
        return self.ask(names)

    def _in_portions(
        self, names: list[bytes], keys: list[bytes], sizes: Sequence[Any]
    ) -> Iterator[Batch]:
        groups = self.portions.groups(names, sizes)
        for batch in in_portions(self.node, groups, self.ask, self.substitutes, self.portions):
            del keys[: len(batch[0])]
            yield batch


def _parts(keys: list[bytes], size: int) -> list[list[bytes]]:
    """Return the keys in lists of about `size` that are as long as each other, at least one."""
    count = round(len(keys) / size) or 1
    length = -(-len(keys) // count) or 1
    return [keys[begin : begin + length] for begin in range(0, len(keys), length)] or [[]]


def _sizes_of(keys: Sequence[bytes]) -> list[Command]:
    return [("STRLEN", key) for key in keys]


def in_portions(
    node: Node,
    groups: Iterable[list[bytes]],
    ask: Ask,
    substitutes: Substitutes,
    portions: Portions,
) -> Iterator[Batch]:
    """Yield each group of keys with the replies to `ask`; no reply may be under way.

    A group that is refused is split in halves. A value that is too large is a TooLarge in its
    place.
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
    """Return the batch size: `near`, scaled up by round-trip time."""
    node.connect()
    ways = []
    # The quickest of three counts: the others also waited for something else than the network.
    for _ in range(3):
        begun = time.perf_counter()
        node.pipeline([("PING",)])
        ways.append(time.perf_counter() - begun)
    times = int(min(ways) / _NEAR)
    return min(near * min(max(times, 1), _MOST_TIMES), _MOST)


def _cursor_and_keys(reply: Any) -> tuple[bytes, list[bytes]]:
    if isinstance(reply, ErrorReply):
        if has_code(reply, "LOADING", "MASTERDOWN"):
            raise RedisNotReady(
                f"Redis refused: {str(reply).rstrip('.')}.", hint="Try again in a moment."
            )
        raise refused(reply) from reply
    cursor, keys = reply
    # Some servers send it as an integer.
    return cursor if isinstance(cursor, bytes) else b"%d" % cursor, keys


class _Turns:
    """Detects a SCAN whose cursors repeat: compares each with one kept, for spans that double."""

    def __init__(self) -> None:
        self._kept = b""
        self._left = self._span = 1

    def take(self, cursor: bytes) -> None:
        """Raise OperationFailed for a cursor that came before: the pass would never end."""
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
