"""A cluster's client: sends each command to its key's primary, through redirects and failovers."""

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
from pawsctl.connection.node import Node, Notice
from pawsctl.connection.replies import has_code, raise_for_error
from pawsctl.connection.sockets.timeouts import Timeouts
from pawsctl.errors import LoginRefused, OperationFailed, RedisUnreachable

# A dead node costs no more than this before another is asked about the cluster.
_PROBE_SECONDS = 1.0


class Cluster(Connection):
    """All primaries of a cluster, found from any of its nodes.

    `is_found_out`: the URL is not a cluster's, and the server itself told that it is a node.
    """

    is_cluster = True

    def __init__(
        self, target: Target, timeouts: Timeouts, notice: Notice, *, is_found_out: bool = False
    ) -> None:
        super().__init__(target, timeouts, notice)
        self._is_found_out = is_found_out
        self._owners: list[Address | None] = []
        # The node that told the owners; it gets the commands without a key.
        self._teller: Address | None = None
        self._nodes: dict[Address, Node] = {}
        self._probes: dict[Address, Node] = {}
        self._opened: list[Node] = []

    def connect(self) -> None:
        """Find the owner of each slot."""
        if not self._owners:
            self._refresh()

    def close(self) -> None:
        """Close every socket."""
        for node in (*self._nodes.values(), *self._probes.values(), *self._opened):
            node.close()
        self._opened.clear()

    def primaries(self) -> list[Node]:
        """Return every primary that has slots. Raises RedisUnreachable if one does not answer."""
        nodes, silent = self.answering()
        if silent:
            raise RedisUnreachable(
                f"{len(silent)} of {len(silent) + len(nodes)} primaries of "
                f"{self.target.url} do not answer: {', '.join(map(str, silent))}.",
                hint="See 'CLUSTER NODES' on any node.",
            )
        return nodes

    def answering(self) -> tuple[list[Node], list[Address]]:
        """Return the primaries that have slots and answer, and the addresses of silent ones."""
        view = self.view()
        nodes = [self._to(claim.address) for claim in view.claims.values() if claim.slots]
        return nodes, list(view.silent)

    def addresses(self) -> list[Address]:
        """Return the address of every primary, also of one that does not answer."""
        view = self.view()
        return [*(claim.address for claim in view.claims.values()), *view.silent]

    def reader(self) -> Node:
        """Return the primary of the first slot that has one."""
        self.connect()
        owner = next((owner for owner in self._owners if owner), None)
        if owner is None:
            raise RedisUnreachable(
                f"No node of the cluster at {self.target.url} serves any slot.",
                hint="See 'CLUSTER NODES' on any node.",
            )
        return self._to(owner)

    def owner(self, key: bytes) -> Node:
        """Return the primary of the key's slot, as far as is known."""
        self.connect()
        return self._to(self._owners[slots.slot_of(key)] or self.reader().target.addresses[0])

    def open(self, address: Address) -> Node:
        """Return a node on a socket of its own, so that replies under way disturb no command."""
        node = self._node(address)
        self._opened.append(node)
        return node

    def release(self, node: Node) -> None:
        """Close and drop a node that `open` returned."""
        node.close()
        # A pass that is dropped may end after `close`.
        if node in self._opened:
            self._opened.remove(node)

    def view(self) -> View:
        """Return every primary's own report; one that does not answer in a second is silent."""
        for asked, nodes, rows in self._told():
            announced = {
                name: address
                for shard in slots.shards(rows, asked)
                for name, address in shard.nodes
                if name
            }
            # A primary that failed and was replaced stays in the list, without slots.
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
        # Ask all before waiting for the first reply.
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
        """Yield the address, CLUSTER NODES and CLUSTER SLOTS of each node that can be reached.

        Raises RedisUnreachable if there is none left.
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
                # Next time, nodes that have answered come first.
                del self._probes[address]
                continue
            # Next time, another is asked first: a node cut off from the others learns no changes.
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
            # Redirections still lead a command for a single key to its node.
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
                self.say_waiting(trouble.message)
            time.sleep(POLL_SECONDS)
            self._refresh()
        else:
            return batch.replies
        seconds, option = self.timeouts.failover, self.timeouts.option
        raise gave_up(batch, trouble, url=self.target.url, seconds=seconds, option=option)

    def _round(self, batch: Batch) -> RedisUnreachable | None:
        """Send what is left to do, each to its server; return the failure of one that went away.

        Raises Uncertain, LoginRefused.
        """
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
