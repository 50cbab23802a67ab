"""What a command sees of its Redis, whether that is one server, a Sentinel's or a cluster."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

from pawsctl.config.target import Address, Target, is_loopback
from pawsctl.connection.commands import Command, writes_in
from pawsctl.connection.ledger import Ledger
from pawsctl.connection.node import Node, Notice, Timeouts
from pawsctl.connection.replies import raise_for_error
from pawsctl.connection.substitutes import Substitutes
from pawsctl.errors import LoginRefused, OperationFailed, RedisUnreachable

# How long to wait before asking again who the primary is.
POLL_SECONDS = 0.2


class Connection(ABC):
    """The Redis behind one URL; connects when first used.

    Every method raises RedisUnreachable where nothing answers in time, LoginRefused where the login
    is not taken, and OperationFailed where Redis refuses.
    """

    is_cluster: ClassVar = False
    follows_failovers: ClassVar = False
    """Whether it finds out who takes the place of a server that is no primary any more."""

    def __init__(self, target: Target, timeouts: Timeouts, notice: Notice) -> None:
        self.target = target
        self.timeouts = timeouts
        # Seconds of the slowest round trip since a caller last set this to 0.
        self.slowest = 0.0
        self.substitutes = Substitutes()
        self.ledger = Ledger()
        self._say = notice
        self._said: set[str] = set()

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def resolved(self) -> Connection:
        """Return the connection that this is, or, after `connect`, has turned out to be."""
        return self

    @abstractmethod
    def connect(self) -> None:
        """Find the servers, log in, and have an answer."""

    @abstractmethod
    def close(self) -> None:
        """Let go of every socket."""

    @abstractmethod
    def primaries(self) -> list[Node]:
        """Every primary. Raises RedisUnreachable where one does not answer."""

    def answering(self) -> tuple[list[Node], list[Address]]:
        """Every primary that answers, and where those are that do not."""
        return self.primaries(), []

    @abstractmethod
    def addresses(self) -> list[Address]:
        """Where every primary is, also one that does not answer."""

    def foreign_host(self) -> str | None:
        """A host that commands go to and that is not this machine; None where all is here.

        The URL may lead to a Sentinel or a node here that names servers elsewhere.
        """
        if not self.target.is_local:
            return self.target.host
        if self.target.path is not None:
            return None
        hosts = (address.host for address in self.addresses())
        return next((host for host in hosts if not is_loopback(host)), None)

    @abstractmethod
    def reader(self) -> Node:
        """The server that reads go to; of a cluster, one of its primaries."""

    def lost(self, error: RedisUnreachable, *, since: float) -> None:
        """Find who takes the place of a server that went away; raises `error` where no one can.

        `since` is the monotonic time when things began to go wrong.
        """
        raise error

    @abstractmethod
    def _ask(self, commands: Sequence[Command]) -> list[Any]:
        """Send commands to where they belong and return their replies in the same order."""

    def pipeline(self, commands: Sequence[Command]) -> list[Any]:
        """Send commands, each to the server that has its key, and return their replies in order.

        An error reply stands in the list as an ErrorReply; what is refused and can be done in
        another way is done so. Commands that only read are repeated
        where a server goes away and another takes its place; where one that writes may or may not
        have been done, RedisUnreachable says so.
        """
        begun = time.perf_counter()
        replies = self.substitutes.asked(commands, self._ask)
        self.slowest = max(self.slowest, time.perf_counter() - begun)
        return replies

    def call(self, *command: bytes | str | int) -> Any:
        """Send one command and return its reply."""
        return raise_for_error(self.pipeline([command])[0])

    def note(self, sentence: str) -> None:
        """Tell the user something that is no failure, once."""
        if sentence not in self._said:
            self._said.add(sentence)
            self._say(sentence)

    def _node(
        self,
        address: Address,
        *,
        greeting: Sequence[Command] = (),
        timeouts: Timeouts | None = None,
    ) -> Node:
        """A node of this target, with its login."""
        return Node(
            at(self.target, address),
            timeouts or self.timeouts,
            self.note,
            greeting=greeting,
            ledger=self.ledger,
        )


def at(target: Target, address: Address) -> Target:
    """The one server at `address` among those of a Sentinel's or cluster's target."""
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
    """The server went away in the middle: a command that writes may have been done."""


def ask_node(node: Node, commands: Sequence[Command]) -> list[Any]:
    """Send commands to one server; raises Uncertain for what must not be repeated elsewhere."""
    begun = False
    try:
        # What can't connect has sent nothing.
        node.connect()
        begun = True
        return node.pipeline(commands)
    except RedisUnreachable as error:
        doubt = uncertain(error, commands) if begun else None
        if doubt is None:
            raise
        raise doubt from error


def uncertain(error: RedisUnreachable, commands: Sequence[Command]) -> Uncertain | None:
    """Return `error` with what it leaves in doubt, for commands that were sent and not answered.

    None where nothing is in doubt that `error` does not tell.
    """
    writes = writes_in(commands)
    if not writes or isinstance(error, LoginRefused | Uncertain):
        return None
    return Uncertain(
        f"{error.message} No one knows whether it has done {writes}.",
        hint=f"Look at what is stored before you repeat it. {error.hint}",
    )


class ClusterUntold(OperationFailed):
    """A node of a cluster would not say where the others are."""


def untold(where: str, error: OperationFailed) -> ClusterUntold:
    """`error` as what it means: a part of the keys is where nobody knows."""
    return ClusterUntold(
        f"{where} is a node of a cluster and does not tell where the others are. {error.message}",
        hint="On a cluster a user needs +cluster|nodes +cluster|slots +cluster|getkeysinslot "
        "+asking too.",
    )


def is_of_sentinel(role: Any) -> bool:
    """Whether the answer to ROLE is a Sentinel's."""
    return isinstance(role, list) and role[:1] == [b"sentinel"]


def a_sentinel(target: Target, role: Any) -> RedisUnreachable:
    """Return that a Sentinel stands where a Redis was meant, with what its answer to ROLE names."""
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
