"""One server, named by its URL; where it turns out to be a node of a cluster, the cluster."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from pawsctl.config.target import Address, Target
from pawsctl.connection.base import Connection, a_sentinel, ask_node, is_of_sentinel, untold
from pawsctl.connection.cluster import slots
from pawsctl.connection.commands import Command
from pawsctl.connection.node import ASK_FOR_CLUSTER, Node, Notice, Timeouts
from pawsctl.connection.replies import ErrorReply, betrays_cluster, has_code
from pawsctl.errors import OperationFailed

if TYPE_CHECKING:
    from pawsctl.connection.cluster.client import Cluster


# What a node of a cluster says whose answer is another's.
_ANOTHERS = ("MOVED", "ASK", "TRYAGAIN", "CLUSTERDOWN")
# Asked one after the other until one is answered, where the server says nothing of what it is: a
# cluster takes no keys of two slots, and a single server does not know of nodes. The keys are
# nobody's, and named like sessions, since a user may be let to no others.
_BETRAYERS: tuple[Command, ...] = (
    ("MGET", "wh:session:{a}", "wh:session:{b}"),
    ("EXISTS", "wh:session:{a}", "wh:session:{b}"),
    ("CLUSTER", "SLOTS"),
)


class Standalone(Connection):
    """One server. Whether it is a cluster's is asked with the greeting, which costs no time."""

    def __init__(self, target: Target, timeouts: Timeouts, notice: Notice) -> None:
        super().__init__(target, timeouts, notice)
        self._server = Node(
            target, timeouts, self.note, greeting=ASK_FOR_CLUSTER, ledger=self.ledger
        )
        self._cluster: Cluster | None = None
        self._was_probed = False

    @property
    def cluster(self) -> Cluster | None:
        """The cluster that the server belongs to, where it has said so."""
        if self._cluster is None and self._server.is_cluster:
            # 5 ms: only who meets a cluster pays for it.
            from pawsctl.connection.cluster.client import Cluster

            self.note(f"{self.target.url} is a cluster, and is used as one.")
            target = replace(self.target, kind="cluster", addresses=self._entrance(), path=None)
            self._cluster = Cluster(target, self.timeouts, self.note, is_found_out=True)
            self._cluster.ledger = self.ledger
            self._cluster.substitutes = self.substitutes
        return self._cluster

    def resolved(self) -> Connection:
        """Return the cluster that the server belongs to, where it has said so; else this."""
        return self.cluster or self

    def _entrance(self) -> tuple[Address, ...]:
        """Where the cluster can be asked: this server, or where one behind a Unix socket listens.

        Raises OperationFailed where that one will not tell.
        """
        if self.target.path is None:
            return self.target.addresses
        # On a socket of its own: on the other, replies may be under way.
        node = Node(self.target, self.timeouts, self.note)
        try:
            lines = node.call("CLUSTER", "NODES")
        except OperationFailed as error:
            raise untold(self.target.url, error) from error
        finally:
            node.close()
        members = slots.members(lines, Address("127.0.0.1", 0))
        return tuple(each.address for each in members if each.address.port and each.is_primary)

    def connect(self) -> None:
        """Connect and log in."""
        if not self._server.has_answered:
            # A refusal is an answer too; what comes next will say what it means there.
            self.pipeline([("PING",)])

    def close(self) -> None:
        """Let go of every socket."""
        self._server.close()
        if self._cluster is not None:
            self._cluster.close()

    def primaries(self) -> list[Node]:
        """The server; where it is a cluster's, all primaries."""
        self.connect()
        return [self._server] if self.cluster is None else self.cluster.primaries()

    def answering(self) -> tuple[list[Node], list[Address]]:
        """The server; where it is a cluster's, all primaries that answer, and those that do not."""
        self.connect()
        return ([self._server], []) if self.cluster is None else self.cluster.answering()

    def addresses(self) -> list[Address]:
        """Where the server is; where it is a cluster's, all primaries."""
        self.connect()
        return list(self.target.addresses) if self.cluster is None else self.cluster.addresses()

    def reader(self) -> Node:
        """The server."""
        return self._server

    def _ask(self, commands: Sequence[Command]) -> list[Any]:
        if self._cluster is not None:
            return self._cluster.pipeline(commands)
        replies = ask_node(self._server, commands)
        is_strange = any(
            has_code(each, "ERR") and "unknown command" in each.text for each in replies
        )
        if self._server.is_sentinel or is_strange:
            role = ask_node(self._server, [("ROLE",)])[0]
            if self._server.is_sentinel or is_of_sentinel(role):
                raise a_sentinel(self.target, role)
        self._probe()
        if self.cluster is not None:
            # What this node answered is true; what it would not answer belongs to another.
            others = [
                index
                for index, reply in enumerate(replies)
                if isinstance(reply, ErrorReply)
                and (reply.code in _ANOTHERS or betrays_cluster(reply))
            ]
            answers = self.cluster.pipeline([commands[index] for index in others])
            for index, answer in zip(others, answers, strict=True):
                replies[index] = answer
        return replies

    def _probe(self) -> None:
        """Find out whether a server that does not say so is a node of a cluster.

        It may hold no key that betrays it, and its keys would be told as all.
        """
        server = self._server
        if self._was_probed or server.has_told_mode or server.is_cluster:
            return
        self._was_probed = True
        for command in _BETRAYERS:
            reply = ask_node(server, [command])[0]
            if not isinstance(reply, ErrorReply):
                server.is_cluster |= command[0] == "CLUSTER"
                return
            if betrays_cluster(reply):
                return
