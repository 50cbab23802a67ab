"""A pass over all primaries of a cluster at once, while slots move and primaries fail.

SCAN finds the keys that stay on one node from beginning to end. A key that moves meanwhile may be
missed both on the node it left and on the one it came to. So the slots of every primary are
compared before and after: slots that changed owner, are half moved, or belonged to a primary that
failed, are scanned again, until none of them has changed during the scan. Within a half-moved slot
keys go one way only, so its owner is asked before the node it moves to.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import chain, compress, count
from typing import NamedTuple

from pawsctl.connection import Command, ErrorReply, Node
from pawsctl.connection.base import POLL_SECONDS, ClusterUntold, Uncertain
from pawsctl.connection.cluster.client import Cluster
from pawsctl.connection.cluster.redirects import REDIRECTS
from pawsctl.connection.cluster.slots import SLOTS, Claim, View, ranges_text, slot_of
from pawsctl.connection.commands import is_many, joined, name_of, parts_of, scripted
from pawsctl.connection.scan.glob import matcher
from pawsctl.connection.scan.one_server import Ask, Batch, Search, in_portions, node_batches
from pawsctl.connection.scan.portions import Portions
from pawsctl.connection.scan.seen_keys import SeenKeys
from pawsctl.errors import LoginRefused, Partial, RedisUnreachable

_ALL = frozenset(range(SLOTS))
# Up to this many slots of a node are rescanned one by one: GETKEYSINSLOT returns all keys of a slot
# at one moment, so that a rescan ends although other slots keep moving. More than this are scanned.
_FEW_SLOTS = 1_000
_SLOTS_AT_A_TIME = 50
_NO_LIMIT = 1 << 30

# Rescans that are allowed even after the deadline.
_ROUNDS = 5


class _Asked(NamedTuple):
    """A command of the caller's, and the commands sent in its place: another one, or its parts."""

    command: Command
    sent: list[Command]
    is_split: bool


class _Hopeless(Exception):
    """The cluster did not recover within the time for a failover."""


class Sweep:
    """One pass over a cluster; `_suspects` are slots of which keys may have been missed."""

    def __init__(
        self, cluster: Cluster, search: Search, ask: Ask, known: SeenKeys, portions: Portions
    ) -> None:
        self._cluster = cluster
        self._search = search
        self._matches = matcher(search.pattern)
        self._ask = ask
        self._known = known
        self._portions = portions
        self._asked: dict[bytes, list[_Asked]] = {}
        self._may_ask_for_slots = True
        self._suspects: set[int] = set()
        self._primaries = 0

    def batches(self, *, deletes: bool = False) -> Iterator[Batch]:
        """Yield every batch; raise Partial at the end if slots are missing.

        If the cluster does not tell where its nodes are, only the node of the URL is scanned; with
        `deletes`, nothing is begun and OperationFailed is raised.
        """
        try:
            before = self._cluster.view()
        except ClusterUntold as error:
            if deletes:
                raise
            yield from self._at_the_entrance(error)
            return
        self._primaries = sum(bool(each.slots) for each in before.claims.values())
        self._primaries += len(before.silent)
        self._suspects |= _ALL - before.covered
        try:
            owned = {name: claim.slots for name, claim in before.claims.items()}
            yield from self._all(before.claims.values(), self._scanned, owned)
            yield from self._again(before)
        except _Hopeless as error:
            raise self._partial(str(error)) from error
        if self._suspects:
            raise self._partial()
        self._cluster.note(f"{self._primaries} of {self._primaries} primaries answered.")

    def _at_the_entrance(self, error: ClusterUntold) -> Iterator[Batch]:
        # On a socket of its own: meanwhile, commands about other nodes' keys use the main one.
        node = self._cluster.open(self._cluster.reader().target.addresses[0])
        for batch in self._scanned(node, _ALL):
            if (settled := self._settled(batch)) is not None:
                yield settled
        raise Partial(
            f"{error.message} What was shown is what one node has.", hint=error.hint
        ) from error

    def _again(self, before: View) -> Iterator[Batch]:
        """Rescan suspect slots until none of them has changed during its scan."""
        deadline = time.monotonic() + self._cluster.timeouts.failover
        # All slots at first, then only suspects: a move that begins after the scan does not matter.
        todo = _ALL
        for number in count(1):
            after = self._settled_view(deadline)
            self._suspects |= after.changed_since(before) & todo
            if number == 1:
                self._suspects |= before.moving | after.moving
            todo = frozenset(self._suspects & after.covered)
            if not todo or (number > _ROUNDS and time.monotonic() > deadline):
                return
            self._suspects -= todo
            claims = after.claims.values()
            owned = {claim.id: todo & claim.slots for claim in claims}
            yield from self._all(claims, self._rescanned, owned)
            # Then the nodes that slots are moving to: the owner had to be asked first.
            coming = {claim.id: todo & claim.coming.keys() for claim in claims}
            yield from self._all(claims, self._rescanned, coming)
            before = after

    def _settled_view(self, deadline: float) -> View:
        """Return the view when every suspect slot has an owner, or at the deadline."""
        while True:
            view = View({}, ())
            with suppress(RedisUnreachable):
                view = self._cluster.view()
            if self._suspects <= view.covered or time.monotonic() > deadline:
                return view
            slots = ranges_text(self._suspects - view.covered)
            self._cluster.say_waiting(f"No primary answers for the slots {slots}.")
            time.sleep(POLL_SECONDS)

    def _all(
        self,
        claims: Iterable[Claim],
        look: Callable[[Node, frozenset[int]], Iterator[Batch]],
        wanted: Mapping[str, frozenset[int]],
    ) -> Iterator[Batch]:
        """Scan several primaries side by side: each prepares its next batch meanwhile.

        If one goes away, its slots become suspects.
        """
        running: list[tuple[Node, frozenset[int], Iterator[Batch]]] = []
        for claim in claims:
            if slots := wanted[claim.id]:
                node = self._cluster.open(claim.address)
                running.append((node, slots, look(node, slots)))
        try:
            while running:
                for each in tuple(running):
                    node, slots, found = each
                    try:
                        batch = next(found, None)
                    except LoginRefused:
                        raise
                    except RedisUnreachable as error:
                        self._suspects |= slots
                        self._cluster.waited = error.message
                        self._cluster.note(error.message)
                        batch = None
                    if batch is None:
                        running.remove(each)
                        self._cluster.release(node)
                    elif (settled := self._settled(batch)) is not None:
                        yield settled
        except _Hopeless:
            self._suspects.update(*(slots for _, slots, _ in running))
            raise
        finally:
            for node, _, _ in running:
                self._cluster.release(node)

    def _scanned(self, node: Node, _slots: frozenset[int]) -> Iterator[Batch]:
        return node_batches(
            node,
            self._search,
            self._sent,
            self._known,
            substitutes=self._cluster.substitutes,
            portions=self._portions,
        )

    def _rescanned(self, node: Node, slots: frozenset[int]) -> Iterator[Batch]:
        if len(slots) > _FEW_SLOTS or not self._may_ask_for_slots:
            yield from self._scanned(node, slots)
            return
        numbers = sorted(slots)
        for begin in range(0, len(numbers), _SLOTS_AT_A_TIME):
            some = numbers[begin : begin + _SLOTS_AT_A_TIME]
            told = node.pipeline([("CLUSTER", "GETKEYSINSLOT", slot, _NO_LIMIT) for slot in some])
            if any(isinstance(reply, ErrorReply) for reply in told):
                self._may_ask_for_slots = False
                yield from self._scanned(node, slots)
                return
            keys = self._known.fresh(self._of_kind(node, filter(self._matches, chain(*told))))
            while keys:
                try:
                    for batch in self._told_of(node, keys[: self._search.size]):
                        del keys[: len(batch[0])]
                        yield batch
                except RedisUnreachable:
                    self._known.forget(keys)
                    raise

    def _told_of(self, node: Node, names: list[bytes]) -> Iterator[Batch]:
        substitutes = self._cluster.substitutes
        if self._search.values:
            sizes = node.pipeline([("STRLEN", name) for name in names])
            groups = self._portions.groups(names, sizes)
            yield from in_portions(node, groups, self._sent, substitutes, self._portions)
        else:
            yield names, substitutes.asked(self._sent(names), node.pipeline)

    def _of_kind(self, node: Node, keys: Iterable[bytes]) -> Iterable[bytes]:
        """Return the keys of the type that the search is for."""
        kind = self._search.kind
        if not kind:
            return keys
        names = list(keys)
        kinds = node.pipeline([("TYPE", name) for name in names])
        return compress(names, (each == kind for each in kinds))

    def _sent(self, names: list[bytes]) -> list[Command]:
        """Return the commands for the node that has these keys; none that CROSSSLOT can refuse."""
        wanted = self._asked[names[0]] = [self._in_place_of(each) for each in self._ask(names)]
        return [command for each in wanted for command in each.sent]

    def _in_place_of(self, command: Command) -> _Asked:
        other = scripted(command)
        if is_many(command) and name_of(other) != b"EVAL":
            return _Asked(command, parts_of(command), is_split=True)
        return _Asked(command, [other], is_split=False)

    def _settled(self, batch: Batch) -> Batch | None:
        """Return the batch with redirected commands answered by the keys' present owner.

        None if a command that writes may or may not have been done; the slots become suspects.
        """
        names, replies = batch
        wanted = self._asked.pop(names[0])
        sent = [command for each in wanted for command in each.sent]
        strays = [
            index
            for index, reply in enumerate(replies)
            if isinstance(reply, ErrorReply) and (reply.code in REDIRECTS or is_many(sent[index]))
        ]
        if strays:
            try:
                answers = self._cluster.pipeline([sent[index] for index in strays])
            except LoginRefused:
                raise
            except RedisUnreachable as error:
                self._known.forget(names)
                self._suspects.update(map(slot_of, names))
                if isinstance(error, Uncertain):
                    return None
                raise _Hopeless(error.message) from error
            for index, answer in zip(strays, answers, strict=True):
                replies[index] = answer
        rest = iter(replies)
        return names, [
            joined(each.command, [next(rest) for _ in each.sent]) if each.is_split else next(rest)
            for each in wanted
        ]

    def _partial(self, cause: str = "") -> Partial:
        missing = ranges_text(self._suspects)
        text = (
            f"Not all of the {self._primaries} primaries of {self._cluster.target.url} answered: "
            f"the slots {missing} are missing."
        )
        if "CLUSTERDOWN" in cause:
            # They answer, and refuse.
            text = f"{cause} The slots {missing} were not read to their end."
        return Partial(
            text,
            hint="What was shown, if anything, is true and not the whole. --failover-timeout waits "
            f"longer than {self._cluster.timeouts.failover:g} s.",
        )
