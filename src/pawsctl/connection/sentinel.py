"""A connection to the primary that Sentinels name, through failovers, and to its replicas."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

from msgspec.structs import replace

from pawsctl.config.target import Address, Target
from pawsctl.connection.base import POLL_SECONDS, Connection, Uncertain, ask_node, at
from pawsctl.connection.commands import Command, is_read
from pawsctl.connection.node import Node, Notice
from pawsctl.connection.replies import ErrorReply, has_code, is_about_the_command, raise_for_error
from pawsctl.connection.sentinel_failures import too_few, unknown_service, with_way
from pawsctl.connection.sockets.timeouts import Timeouts
from pawsctl.errors import LoginRefused, RedisUnreachable

# A dead Sentinel costs no more than this before the next is asked.
_SENTINEL_SECONDS = 1.0
# Refused by a server that is no primary any more, or not yet.
_NOT_DONE = ("READONLY", "LOADING", "MASTERDOWN")


class _NotYet(RedisUnreachable):
    """The server that the Sentinels name is no primary (yet): a failover may be under way."""


class Sentinel(Connection):
    """The primary of a Sentinel's service, and a replica for reads if one is preferred."""

    follows_failovers = True

    def __init__(
        self, target: Target, timeouts: Timeouts, notice: Notice, *, prefer_replica: bool = False
    ) -> None:
        super().__init__(target, timeouts, notice)
        self._prefer_replica = prefer_replica
        # The one that answered last comes first.
        self._sentinels = list(target.addresses)
        self._primary: Node | None = None
        self._replica: Node | None = None

    def connect(self) -> None:
        """Find the server to read from; wait if a failover is under way."""
        self.reader()

    def close(self) -> None:
        """Close every socket."""
        for node in (self._primary, self._replica):
            if node is not None:
                node.close()
        self._primary = self._replica = None

    def primaries(self) -> list[Node]:
        """Return the primary alone."""
        return [self._await_primary(time.monotonic())]

    def addresses(self) -> list[Address]:
        """Return the primary's address alone."""
        return [node.target.addresses[0] for node in self.primaries()]

    def sentinels(self) -> list[Address]:
        """Return the addresses of the other Sentinels of the service, as one of them tells."""
        for sentinel in self._answering():
            reply = sentinel.pipeline([("SENTINEL", "SENTINELS", self.target.service or "")])[0]
            if not isinstance(reply, ErrorReply):
                return [Address(row["ip"], int(row["port"])) for row in _tables(reply)]
        return []

    def quorum_fault(self) -> str | None:
        """Return why no Sentinel that answers could begin a failover; empty if one could.

        None if this user may not ask them.
        """
        fault: str | None = ""
        try:
            for sentinel in self._answering():
                fault = self._fault_of(sentinel)
                if fault == "":
                    break
        except RedisUnreachable as error:
            return error.message
        return fault

    def _fault_of(self, sentinel: Node) -> str | None:
        asked = ("CKQUORUM", "SENTINELS", "MASTER")
        service = self.target.service or ""
        reply, *told = sentinel.pipeline([("SENTINEL", each, service) for each in asked])
        if not isinstance(reply, ErrorReply):
            return ""
        if has_code(reply, "NOQUORUM"):
            return reply.text.rstrip(".")
        if any(isinstance(each, ErrorReply) for each in told):
            return None
        others, (primary,) = list(_tables(told[0])), _tables([told[1]])
        return too_few(others, int(primary["quorum"]))

    def reader(self) -> Node:
        """Return the server for reads: a replica if preferred and found, else the primary."""
        if self._prefer_replica:
            if self._replica is None:
                self._replica = self._find_replica()
            if self._replica is not None:
                return self._replica
            self.note("No replica can be reached: the primary is read.")
        return self._await_primary(time.monotonic())

    def owner(self, _key: bytes) -> Node:
        """Return the primary; wait if a failover is under way."""
        return self._await_primary(time.monotonic())

    def lost(self, error: RedisUnreachable, *, since: float) -> None:
        """Wait for the new primary after a server went away.

        `since` is the monotonic time of the first failure. Raises `error`, or a newer one, if the
        time for a failover is over. Raises LoginRefused at once: waiting would not help.
        """
        if isinstance(error, LoginRefused):
            raise error
        self.close()
        if time.monotonic() > since + self.timeouts.failover:
            raise self._waited(error) from error
        self.say_waiting(error.message)
        time.sleep(POLL_SECONDS)
        self._await_primary(since, error)

    def _ask(self, commands: Sequence[Command]) -> list[Any]:
        replies: list[Any] = [None] * len(commands)
        todo = list(range(len(commands)))
        since: float | None = None
        while True:
            wanted = [commands[index] for index in todo]
            reads = all(map(is_read, wanted))
            node = self.reader() if reads else self._await_primary(since or time.monotonic())
            try:
                answers = ask_node(node, wanted)
            except Uncertain:
                self.close()
                raise
            except RedisUnreachable as error:
                since = since or time.monotonic()
                self.lost(error, since=since)
                continue
            for index, answer in zip(todo, answers, strict=True):
                replies[index] = answer
            todo = [i for i in todo if has_code(replies[i], *_NOT_DONE)]
            since = since or time.monotonic()
            if not todo or time.monotonic() > since + self.timeouts.failover:
                return replies
            self.close()
            time.sleep(POLL_SECONDS)

    def _await_primary(self, since: float, failure: RedisUnreachable | None = None) -> Node:
        """Return the primary; wait for one. `failure` is why there was none before."""
        while self._primary is None:
            try:
                self._primary = self._find_primary()
            except RedisUnreachable as error:
                if isinstance(error, _NotYet):
                    failure = error
                elif failure is None or not self.timeouts.are_over:
                    raise
                # Else no time was left to ask the Sentinels: what they told before counts.
                if self.timeouts.are_over or time.monotonic() > since + self.timeouts.failover:
                    raise self._waited(failure) from error
                self.say_waiting(failure.message)
                time.sleep(POLL_SECONDS)
        return self._primary

    def _waited(self, error: RedisUnreachable) -> RedisUnreachable:
        none = f"No other took its place within {self.timeouts.failover:g} s"
        fault = self.quorum_fault()
        if self.timeouts.are_over:
            fault = ""  # That none answers tells of the time, and not of them.
        hint = "Start the missing Sentinels." if fault else f"{self.timeouts.option} waits longer."
        return error.with_context(after=f"{none}: {fault}." if fault else f"{none}.", hint=hint)

    def _find_primary(self) -> Node:
        service = self.target.service or ""
        failure: RedisUnreachable | None = None
        known: set[str] = set()
        for sentinel in self._answering():
            reply = sentinel.pipeline([("SENTINEL", "GET-MASTER-ADDR-BY-NAME", service)])[0]
            if has_code(reply, "ERR") and "unknown command" in reply.text:
                failure = RedisUnreachable(
                    f"{sentinel} is a Redis and no Sentinel.",
                    hint="Name the Sentinels' port, or use redis:// for a single server.",
                )
                continue
            raise_for_error(reply)
            if reply is None:
                known |= {
                    fields["name"] for fields in _tables(sentinel.call("SENTINEL", "MASTERS"))
                }
                continue
            address = Address(reply[0].decode("utf-8", "backslashreplace"), int(reply[1]))
            node = self._node(address)
            try:
                role = ask_node(node, [("ROLE",)])[0]
            except LoginRefused:
                raise
            except RedisUnreachable as error:
                failure = _NotYet(
                    f"Sentinel names {address} as the primary of {service}. {error.message}",
                    hint=with_way(error, self.target, of_sentinel=False).hint,
                )
                continue
            # If this user may not run ROLE, the Sentinel is believed.
            if _is_untold(role) or (not isinstance(role, ErrorReply) and role[0] == b"master"):
                return node
            node.close()
            failure = _NotYet(
                f"Sentinel names {address} as the primary of {service}, and it is none (yet).",
                hint="Wait for the failover to end.",
            )
        raise failure or unknown_service(service, known, self.target)

    def _answering(self) -> Iterator[Node]:
        """Yield each Sentinel that answers. Raises RedisUnreachable if none does."""
        failures: list[RedisUnreachable] = []
        for address in tuple(self._sentinels):
            login = at(self.target, address).with_login(
                self.target.sentinel_username, self.target.sentinel_password
            )
            sentinel = Node(
                replace(login, db=0, tls=self.target.sentinel_tls),
                self.timeouts.at_most(_SENTINEL_SECONDS),
                self.note,
                program="The Sentinel",
            )
            try:
                sentinel.call("PING")
                self._sentinels.remove(address)
                self._sentinels.insert(0, address)
                yield sentinel
            except RedisUnreachable as error:
                failures.append(with_way(error, self.target, of_sentinel=True))
            finally:
                sentinel.close()
        if len(failures) == len(self._sentinels):
            refused = next((each for each in failures if isinstance(each, LoginRefused)), None)
            if refused or len(failures) == 1:
                raise refused or failures[0]
            raise RedisUnreachable(
                f"None of {len(failures)} Sentinels can be reached. "
                + " ".join(each.message for each in failures),
                hint=failures[0].hint,
            )

    def _find_replica(self) -> Node | None:
        service = self.target.service or ""
        for sentinel in self._answering():
            # Before 5.0, replicas had another name.
            for word in ("REPLICAS", "SLAVES"):
                reply = sentinel.pipeline([("SENTINEL", word, service)])[0]
                if not isinstance(reply, ErrorReply):
                    break
            else:
                continue
            rows = list(_tables(reply))
            for row in rows:
                if any(word in row["flags"] for word in ("down", "disconnected")):
                    continue
                node = self._node(Address(row["ip"], int(row["port"])))
                try:
                    role = ask_node(node, [("ROLE",)])[0]
                except LoginRefused:
                    raise
                except RedisUnreachable:
                    continue
                # role[3] is its link to the primary: unconnected, it would lag for good.
                if _is_untold(role) or (
                    not isinstance(role, ErrorReply)
                    and role[0] == b"slave"
                    and role[3] == b"connected"
                ):
                    self.note(f"Reading from the replica {node}, which may lag behind the primary.")
                    return node
                node.close()
        return None


def _is_untold(role: Any) -> bool:
    """Return whether the server does not know ROLE, or refuses it to this user."""
    return isinstance(role, ErrorReply) and is_about_the_command(role)


def _tables(reply: Any) -> Iterator[dict[str, str]]:
    """Yield Sentinel's rows, each a flat list of names and values, as dicts."""
    for row in reply:
        texts = [each.decode("utf-8", "backslashreplace") for each in row]
        yield dict(zip(texts[::2], texts[1::2], strict=True))
