"""A cluster: commands go to the primary that has their key, through redirections and failovers."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from pawsctl.config.target import Address, Target
from pawsctl.connection.base import (
    POLL_SECONDS,
    ClusterUntold,
    Connection,
    Uncertain,
    a_sentinel,
    is_of_sentinel,
    uncertain,
    untold,
)
from pawsctl.connection.cluster import slots
from pawsctl.connection.cluster.redirects import Batch, gave_up
from pawsctl.connection.cluster.slots import Claim, View
from pawsctl.connection.commands import Command, joined, parts_of
from pawsctl.connection.node import Node, Notice, Timeouts
from pawsctl.connection.replies import has_code, raise_for_error
from pawsctl.errors import LoginRefused, OperationFailed, RedisUnreachable

# A dead node costs no more than this before another is asked about the cluster.
_PROBE_SECONDS = 1.0


class Cluster(Connection):
    """All primaries of a cluster, found from any of its nodes.

    `is_found_out` says that no URL calls it a cluster, but the server itself did.
    """

    is_cluster = True

    def __init__(
        self, target: Target, timeouts: Timeouts, notice: Notice, *, is_found_out: bool = False
    ) -> None:
        super().__init__(target, timeouts, notice)
        self._is_found_out = is_found_out
        self._owners: list[Address | None] = []
        # Who told of them, and answers what any node can.
        self._teller: Address | None = None
        self._nodes: dict[Address, Node] = {}
        self._probes: dict[Address, Node] = {}
        self._opened: list[Node] = []

    def connect(self) -> None:
        """Learn who owns which slots."""
        if not self._owners:
            self._refresh()

    def close(self) -> None:
        """Let go of every socket."""
        for node in (*self._nodes.values(), *self._probes.values(), *self._opened):
            node.close()
        self._opened.clear()

    def primaries(self) -> list[Node]:
        """Every primary that has slots. Raises RedisUnreachable where one does not answer."""
        nodes, silent = self.answering()
        if silent:
            raise RedisUnreachable(
                f"{len(silent)} of {len(silent) + len(nodes)} primaries of "
                f"{self.target.url} do not answer: {', '.join(map(str, silent))}.",
                hint="See 'CLUSTER NODES' on any node.",
            )
        return nodes

    def answering(self) -> tuple[list[Node], list[Address]]:
        """Every primary that has slots and answers, and where those are that do not."""
        view = self.view()
        nodes = [self._to(claim.address) for claim in view.claims.values() if claim.slots]
        return nodes, list(view.silent)

    def addresses(self) -> list[Address]:
        """Where every primary is, also one that does not answer."""
        view = self.view()
        return [*(claim.address for claim in view.claims.values()), *view.silent]

    def reader(self) -> Node:
        """The primary of the first slot that has one."""
        self.connect()
        owner = next((owner for owner in self._owners if owner), None)
        if owner is None:
            raise RedisUnreachable(
                f"No node of the cluster at {self.target.url} serves any slot.",
                hint="See 'CLUSTER NODES' on any node.",
            )
        return self._to(owner)

    def open(self, address: Address) -> Node:
        """A node on a socket of its own: what is under way there disturbs no other command."""
        node = self._node(address)
        self._opened.append(node)
        return node

    def release(self, node: Node) -> None:
        """Let go of a node that `open` gave, and of its socket."""
        node.close()
        self._opened.remove(node)

    def view(self) -> View:
        """What every primary says of itself now; one that does not answer in a second is silent."""
        for asked, nodes, rows in self._told():
            announced = {
                name: address
                for shard in slots.shards(rows, asked)
                for name, address in shard.nodes
                if name
            }
            # One that failed and was replaced stays in the list without its slots.
            found = [
                each
                for each in slots.members(nodes, asked)
                if each.is_primary and (each.slots or "fail" not in each.flags)
            ]
            return self._claims([announced.get(each.id, each.address) for each in found])
        raise AssertionError("_told yields or raises")

    def _claims(self, addresses: Iterable[Address]) -> View:
        asked = [(address, self._probe(address)) for address in dict.fromkeys(addresses)]
        waiting: list[tuple[Address, Node]] = []
        silent: list[Address] = []
        claims: dict[str, Claim] = {}
        # All are asked before the first answer is waited for.
        for address, node in asked:
            try:
                node.connect()
                node.send([("CLUSTER", "NODES")])
                waiting.append((address, node))
            except RedisUnreachable as error:
                self._raise_login(error)
                silent.append(address)
        for address, node in waiting:
            try:
                reply = raise_for_error(node.receive(1)[0])
            except RedisUnreachable as error:
                self._raise_login(error)
                silent.append(address)
                continue
            own = next(each for each in slots.members(reply, address) if "myself" in each.flags)
            if own.is_primary:
                claims[own.id] = Claim(
                    own.id, address, own.epoch, own.slots, own.leaving, own.coming
                )
        return View(claims, tuple(silent))

    def _raise_login(self, error: RedisUnreachable) -> None:
        if isinstance(error, LoginRefused):
            raise error

    def _told(self) -> Iterator[tuple[Address, bytes, Any]]:
        """What the nodes that can be reached say of the cluster, one after the other.

        Each with its address, its CLUSTER NODES and its CLUSTER SLOTS. Raises RedisUnreachable
        where there is none left.
        """
        failures: list[RedisUnreachable] = []
        owners = (owner for owner in self._owners if owner)
        for address in dict.fromkeys((*self._probes, *owners, *self.target.addresses)):
            try:
                nodes, rows = self._probe(address).pipeline(
                    [("CLUSTER", "NODES"), ("CLUSTER", "SLOTS")]
                )
            except RedisUnreachable as error:
                self._raise_login(error)
                failures.append(error)
                # Those that have answered come first next time.
                del self._probes[address]
                continue
            # Another is asked first next time: one that is cut off from the others never learns.
            self._probes[address] = self._probes.pop(address)
            is_none = has_code(nodes, "ERR") and "cluster support disabled" in nodes.text
            if is_none and not self._is_found_out:
                raise RedisUnreachable(
                    f"Redis at {address} is no node of a cluster.",
                    hint="Use redis:// for a single server.",
                )
            try:
                told = address, raise_for_error(nodes), raise_for_error(rows)
            except OperationFailed as error:
                role = self._probe(address).pipeline([("ROLE",)])[0]
                if is_of_sentinel(role):
                    raise a_sentinel(self.target, role) from error
                raise untold(self.target.url, error) from error
            yield told
        if len(failures) == 1:
            raise failures[0]
        raise RedisUnreachable(
            f"No node of the cluster at {self.target.url} can be reached. "
            + " ".join(each.message for each in failures),
            hint=failures[0].hint,
        )

    def _refresh(self) -> None:
        try:
            self._learn_owners()
        except ClusterUntold:
            # Who asks for a single key is sent where it is.
            self._teller = self.target.addresses[0]
            self._owners = self._owners or [self._teller] * slots.SLOTS

    def _learn_owners(self) -> None:
        for asked, _, rows in self._told():
            owners: list[Address | None] = [None] * slots.SLOTS
            for shard in slots.shards(rows, asked):
                count = shard.last - shard.first + 1
                owners[shard.first : shard.last + 1] = [shard.nodes[0][1]] * count
            self._owners, self._teller = owners, asked
            return

    def _to(self, address: Address) -> Node:
        if address not in self._nodes:
            self._nodes[address] = self._node(address)
        return self._nodes[address]

    def _probe(self, address: Address) -> Node:
        if address not in self._probes:
            self._probes[address] = self._node(
                address, timeouts=self.timeouts.at_most(_PROBE_SECONDS)
            )
        return self._probes[address]

    def _ask(self, commands: Sequence[Command]) -> list[Any]:
        parts = [parts_of(command) for command in commands]
        replies = iter(self._ask_each([each for some in parts for each in some]))
        return [
            joined(command, [next(replies) for _ in some])
            for command, some in zip(commands, parts, strict=True)
        ]

    def _ask_each(self, commands: Sequence[Command]) -> list[Any]:
        self.connect()
        batch = Batch(commands)
        since: float | None = None
        while batch.todo:
            trouble = self._round(batch)
            if trouble is None and not batch.must_wait:
                continue
            since = since or time.monotonic()
            if time.monotonic() > since + self.timeouts.failover:
                break
            if trouble is not None:
                self.note(
                    f"{trouble.message} Waiting up to {self.timeouts.failover:g} s for a failover."
                )
            time.sleep(POLL_SECONDS)
            self._refresh()
        else:
            return batch.replies
        raise gave_up(batch, trouble, url=self.target.url, seconds=self.timeouts.failover)

    def _round(self, batch: Batch) -> RedisUnreachable | None:
        """Send what is to do to where it belongs; the failure of a server that went away."""
        failures: list[RedisUnreachable] = []
        sent: list[tuple[Node, list[int]]] = []
        for address, indexes in batch.by_address(self._owners, self._teller).items():
            node = self._to(address)
            try:
                node.connect()
            except RedisUnreachable as error:
                self._raise_login(error)
                failures.append(error)
                continue
            try:
                node.send(batch.wire(indexes))
                sent.append((node, indexes))
            except RedisUnreachable as error:
                # Some of it may have arrived.
                failures.append(uncertain(error, batch.commands_at(indexes)) or error)
        for node, indexes in sent:
            try:
                replies = node.receive(len(batch.wire(indexes)))
            except RedisUnreachable as error:
                failures.append(uncertain(error, batch.commands_at(indexes)) or error)
            else:
                batch.take(indexes, replies, self._owners, node.target.addresses[0])
        for failure in failures:
            if isinstance(failure, Uncertain | LoginRefused):
                raise failure
        return failures[-1] if failures else None
