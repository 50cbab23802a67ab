"""A connection to the one server of a URL, or to its cluster if it turns out to be a node."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from pawsctl.config.target import Address, Target
from pawsctl.connection.base import Connection, a_sentinel, ask_node, is_of_sentinel, untold
from pawsctl.connection.cluster import slots
from pawsctl.connection.commands import Command
from pawsctl.connection.node import ASK_FOR_CLUSTER, Node, Notice
from pawsctl.connection.replies import ErrorReply, any_refused, betrays_cluster, has_code
from pawsctl.connection.sockets.timeouts import Timeouts
from pawsctl.errors import OperationFailed

if TYPE_CHECKING:
    from pawsctl.connection.cluster.client import Cluster


# Error codes of a cluster node if another node has to answer.
_ANOTHERS = ("MOVED", "ASK", "TRYAGAIN", "CLUSTERDOWN")


def _betrayers(prefix: str) -> tuple[Command, ...]:
    """Return commands to be sent one after the other until one is answered.

    For a server that does not tell its mode: a cluster takes no keys of two slots, and a single
    server knows no nodes. The keys belong to nobody.
    """
    two = (f"{prefix}{{a}}", f"{prefix}{{b}}")
    return (("MGET", *two), ("EXISTS", *two), ("CLUSTER", "SLOTS"))


class Standalone(Connection):
    """One server. The greeting also asks whether it is a cluster's, which costs no time."""

    def __init__(self, target: Target, timeouts: Timeouts, notice: Notice) -> None:
        super().__init__(target, timeouts, notice)
        self._server = Node(
            target, timeouts, self.note, greeting=ASK_FOR_CLUSTER, ledger=self.ledger
        )
        self._cluster: Cluster | None = None
        self._was_probed = False

    @property
    def cluster(self) -> Cluster | None:
        """The cluster that the server belongs to; None if it has not said so."""
        if self._cluster is None and self._server.is_cluster:
            # Imported here: it takes 5 ms, which only clusters need.
            from pawsctl.connection.cluster.client import Cluster

            self.note(f"{self.target.url} is a cluster, and is used as one.")
            target = replace(self.target, kind="cluster", addresses=self._entrance(), path=None)
            self._cluster = Cluster(target, self.timeouts, self.note, is_found_out=True)
            self._cluster.ledger = self.ledger
            self._cluster.substitutes = self.substitutes
        return self._cluster

    def resolved(self) -> Connection:
        """Return the cluster that the server belongs to, if it has said so; else this."""
        return self.cluster or self

    def _entrance(self) -> tuple[Address, ...]:
        """Return addresses at which the cluster can be asked: this server's.

        Of a server behind a Unix socket, those of the primaries that it knows. Raises
        OperationFailed if it will not tell.
        """
        if self.target.path is None:
            return self.target.addresses
        # On a socket of its own: on the main one, replies may be under way.
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
            # A refusal is a reply too; the next command will raise what it means.
            self.pipeline([("PING",)])

    def close(self) -> None:
        """Close every socket."""
        self._server.close()
        if self._cluster is not None:
            self._cluster.close()

    def primaries(self) -> list[Node]:
        """Return the server; of a cluster, all primaries."""
        self.connect()
        return [self._server] if self.cluster is None else self.cluster.primaries()

    def answering(self) -> tuple[list[Node], list[Address]]:
        """Return the server; of a cluster, its primaries, and the addresses of silent ones."""
        self.connect()
        return ([self._server], []) if self.cluster is None else self.cluster.answering()

    def addresses(self) -> list[Address]:
        """Return the server's address; of a cluster, those of all primaries."""
        self.connect()
        return list(self.target.addresses) if self.cluster is None else self.cluster.addresses()

    def reader(self) -> Node:
        """Return the server."""
        return self._server

    def owner(self, key: bytes) -> Node:
        """Return the server; of a cluster, the primary that has the key."""
        return self._server if self.cluster is None else self.cluster.owner(key)

    def _ask(self, commands: Sequence[Command]) -> list[Any]:
        if self._cluster is not None:
            return self._cluster.pipeline(commands)
        replies = ask_node(self._server, commands)
        is_strange = any_refused(replies) and any(
            has_code(each, "ERR") and "unknown command" in each.text for each in replies
        )
        if self._server.is_sentinel or is_strange:
            role = ask_node(self._server, [("ROLE",)])[0]
            if self._server.is_sentinel or is_of_sentinel(role):
                raise a_sentinel(self.target, role)
        self._probe()
        if self.cluster is not None:
            # This node's replies are right; the keys that it refused belong to another.
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
        """Find out whether a server that does not tell its mode is a node of a cluster.

        Else, if no redirection gives it away, its keys would be taken for all keys.
        """
        server = self._server
        if self._was_probed or server.has_told_mode or server.is_cluster:
            return
        self._was_probed = True
        for command in _betrayers(self.key_prefix):
            reply = ask_node(server, [command])[0]
            if not isinstance(reply, ErrorReply):
                server.is_cluster |= command[0] == "CLUSTER"
                return
            if betrays_cluster(reply):
                return
