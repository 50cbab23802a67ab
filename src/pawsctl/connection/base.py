"""The base class of connections: one server, a Sentinel's primary or a cluster."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

from pawsctl.config.target import Address, Target, is_loopback
from pawsctl.connection.commands import Command, writes_in
from pawsctl.connection.ledger import Ledger
from pawsctl.connection.node import Node, Notice
from pawsctl.connection.replies import has_code, raise_for_error
from pawsctl.connection.sockets.timeouts import Timeouts
from pawsctl.connection.substitutes import Substitutes
from pawsctl.errors import LoginRefused, OperationFailed, RedisUnreachable

# How long to wait before asking again who the primary is.
POLL_SECONDS = 0.2


class Connection(ABC):
    """The Redis behind one URL; connects when first used.

    Every method raises RedisUnreachable if nothing answers in time, LoginRefused if the login is
    refused, and OperationFailed if Redis refuses a command.
    """

    is_cluster: ClassVar = False
    follows_failovers: ClassVar = False
    """Whether it finds the new primary after a failover."""

    def __init__(self, target: Target, timeouts: Timeouts, notice: Notice) -> None:
        self.target = target
        self.timeouts = timeouts
        # Seconds of the slowest round trip since a caller last set this to 0.
        self.slowest = 0.0
        # Why a failover was waited for, or a node asked anew, since a caller last set this to ''.
        self.waited = ""
        self.substitutes = Substitutes()
        self.ledger = Ledger()
        # The beginning of keys that may be asked for: an ACL may allow no others.
        self.key_prefix = "wh:session:"
        self._say = notice
        self._said: set[str] = set()

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def resolved(self) -> Connection:
        """Return this connection, or the cluster that it has turned out to be after `connect`."""
        return self

    @abstractmethod
    def connect(self) -> None:
        """Find the servers, log in, and wait for a first reply."""

    @abstractmethod
    def close(self) -> None:
        """Close every socket."""

    @abstractmethod
    def primaries(self) -> list[Node]:
        """Return every primary. Raises RedisUnreachable if one does not answer."""

    def answering(self) -> tuple[list[Node], list[Address]]:
        """Return every primary that answers, and the addresses of those that do not."""
        return self.primaries(), []

    @abstractmethod
    def addresses(self) -> list[Address]:
        """Return the address of every primary, also of one that does not answer."""

    def sentinels(self) -> list[Address]:
        """Return the addresses of the Sentinels that those of the target know; none without."""
        return []

    def quorum_fault(self) -> str | None:
        """Return why the Sentinels can't begin a failover; empty if they can, or there are none.

        None if this user may not ask them.
        """
        return ""

    def foreign_host(self) -> str | None:
        """Return a host that commands go to and that is not this machine; None if all are local.

        A local Sentinel or cluster node may name servers on other machines.
        """
        if not self.target.is_local:
            return self.target.host
        if self.target.path is not None:
            return None
        hosts = (address.host for address in self.addresses())
        return next((host for host in hosts if not is_loopback(host)), None)

    @abstractmethod
    def reader(self) -> Node:
        """Return the server that reads go to; of a cluster, one of its primaries."""

    @abstractmethod
    def owner(self, key: bytes) -> Node:
        """Return the primary that has a key, as far as is known: it may redirect elsewhere."""

    def lost(self, error: RedisUnreachable, *, since: float) -> None:
        """Find the new primary after a server went away; raises `error` if there can be none.

        `since` is the monotonic time of the first failure.
        """
        raise error

    @abstractmethod
    def _ask(self, commands: Sequence[Command]) -> list[Any]:
        """Send each command to its server and return the replies in the same order."""

    def pipeline(self, commands: Sequence[Command]) -> list[Any]:
        """Send commands, each to the server that has its key, and return their replies in order.

        An error reply stands in the list as an ErrorReply; a refused command is replaced by another
        one if there is one. Read-only commands are repeated after a failover. If a server goes away
        and a write may or may not have been done, RedisUnreachable says so.
        """
        begun = time.perf_counter()
        replies = self.substitutes.asked(commands, self._ask)
        self.slowest = max(self.slowest, time.perf_counter() - begun)
        return replies

    def ping(self) -> None:
        """Require an answer to PING; that an ACL refuses it is one. Raises OperationFailed."""
        reply = self.pipeline([("PING",)])[0]
        if not has_code(reply, "NOPERM"):
            raise_for_error(reply)

    def call(self, *command: bytes | str | int) -> Any:
        """Send one command and return its reply."""
        return raise_for_error(self.pipeline([command])[0])

    def note(self, sentence: str) -> None:
        """Show the user a sentence that is no failure, once."""
        if sentence not in self._said:
            self._said.add(sentence)
            self._say(sentence)

    def say_waiting(self, trouble: str) -> None:
        """Show the user, once, that a failover is waited for because of some `trouble`."""
        self.waited = trouble
        self.note(f"{trouble} Waiting up to {self.timeouts.failover:g} s for a failover.")

    def _node(
        self,
        address: Address,
        *,
        greeting: Sequence[Command] = (),
        timeouts: Timeouts | None = None,
    ) -> Node:
        """Return the node at `address`, with this target's login."""
        return Node(
            at(self.target, address),
            timeouts or self.timeouts,
            self.note,
            greeting=greeting,
            ledger=self.ledger,
        )


def at(target: Target, address: Address) -> Target:
    """Return the target of the single server at `address`, out of a Sentinel's or cluster's."""
    from msgspec.structs import replace

    stays = target.password_stays and not is_loopback(address.host)
    return replace(
        target,
        password=None if stays else target.password,
        kind="standalone",
        addresses=(address,),
        path=None,
        service=None,
        sentinel_username=None,
        sentinel_password=None,
        sentinel_tls=None,
        is_member=True,
    )


class Uncertain(RedisUnreachable):
    """The server went away before its reply: a command that writes may have been done."""


def ask_node(node: Node, commands: Sequence[Command]) -> list[Any]:
    """Send commands to one server and return their replies.

    Raises Uncertain if a write may have been done, so that it must not be repeated elsewhere.
    """
    begun = False
    try:
        # If connecting fails, nothing was sent.
        node.connect()
        begun = True
        return node.pipeline(commands)
    except RedisUnreachable as error:
        doubt = uncertain(error, commands) if begun else None
        if doubt is None:
            raise
        raise doubt from error


def uncertain(error: RedisUnreachable, commands: Sequence[Command]) -> Uncertain | None:
    """Return `error` as an Uncertain that names the writes without a reply among `commands`.

    None if no write is in doubt, or if `error` already says which.
    """
    writes = writes_in(commands)
    if not writes or isinstance(error, LoginRefused | Uncertain):
        return None
    return Uncertain(
        f"{error.message} No one knows whether it has done {writes}.",
        hint=f"Look at what is stored before you repeat it. {error.hint}",
    )


class ClusterUntold(OperationFailed):
    """A cluster node refused to tell the addresses of the other nodes."""


def untold(where: str, error: OperationFailed) -> ClusterUntold:
    """Return `error` as a ClusterUntold: the nodes that hold the other keys are unknown."""
    return ClusterUntold(
        f"{where} is a node of a cluster and does not tell where the others are. {error.message}",
        hint="On a cluster a user needs +cluster|nodes +cluster|slots +cluster|getkeysinslot "
        "+asking too.",
    )


def is_of_sentinel(role: Any) -> bool:
    """Return whether the reply to ROLE is a Sentinel's."""
    return isinstance(role, list) and role[:1] == [b"sentinel"]


def a_sentinel(target: Target, role: Any) -> RedisUnreachable:
    """Return the failure for a Sentinel at a Redis URL, with the services that ROLE names."""
    names = (
        [each.decode("utf-8", "backslashreplace") for each in role[1]]
        if is_of_sentinel(role)
        else []
    )
    secure = "rediss" if target.tls else "redis"
    hosts = ",".join(map(str, target.addresses)) or "host:26379"
    ways = " or ".join(f"{secure}+sentinel://{hosts}/{each}" for each in names or ["SERVICE"])
    return RedisUnreachable(
        f"{target.url} is a Sentinel, which holds no data itself.",
        hint=f"Name what it watches over: {ways}.",
    )
