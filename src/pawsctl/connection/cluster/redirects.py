"""A batch of commands for a cluster's servers, with redirections. Pure."""

from collections.abc import Sequence
from typing import Any

from pawsctl.config.target import Address
from pawsctl.connection.cluster.slots import SLOTS, ranges_text, slot_of
from pawsctl.connection.commands import Command, key_of
from pawsctl.connection.replies import ErrorReply
from pawsctl.errors import RedisUnreachable

# Error codes that mean "not here" or "not now". Nothing was done.
REDIRECTS = ("MOVED", "ASK", "TRYAGAIN", "CLUSTERDOWN", "LOADING", "MASTERDOWN", "READONLY")


class Batch:
    """Commands for several servers: which are left to do, where they go, and their replies."""

    def __init__(self, commands: Sequence[Command]) -> None:
        self.commands = commands
        self.replies: list[Any] = [None] * len(commands)
        self.todo = list(range(len(commands)))
        keys = (key_of(command) for command in commands)
        self.slots = [None if key is None else slot_of(key) for key in keys]
        # The address for the next try of a command, if a server said ASK.
        self.asking: dict[int, Address] = {}
        self.must_wait = False
        self._redirected = 0

    def by_address(
        self, owners: Sequence[Address | None], anyone: Address | None
    ) -> dict[Address, list[int]]:
        """Return the indexes of commands to do, by server; without those whose slot has no owner.

        `anyone` gets the commands without a key.
        """
        groups: dict[Address, list[int]] = {}
        for index in self.todo:
            slot = self.slots[index]
            address = self.asking.get(index) or (anyone if slot is None else owners[slot])
            if address is not None:
                groups.setdefault(address, []).append(index)
        # Commands that go to no server must be tried again later.
        self.must_wait = sum(map(len, groups.values())) < len(self.todo)
        return groups

    def commands_at(self, indexes: Sequence[int]) -> list[Command]:
        """Return the commands of a group."""
        return [self.commands[index] for index in indexes]

    def wire(self, indexes: Sequence[int]) -> list[Command]:
        """Return the commands of a group as they are sent: after ASK, with ASKING before each."""
        lines: list[Command] = []
        for index in indexes:
            if index in self.asking:
                lines.append(("ASKING",))
            lines.append(self.commands[index])
        return lines

    def take(
        self,
        indexes: Sequence[int],
        replies: Sequence[Any],
        owners: list[Address | None],
        asked: Address,
    ) -> None:
        """Store the replies of a group. MOVED updates `owners`; ASK sets the next try's address."""
        answers = iter(replies)
        done: set[int] = set()
        for index in indexes:
            refused = next(answers) if self.asking.pop(index, None) else None
            reply = self.replies[index] = next(answers)
            if isinstance(refused, ErrorReply):
                # ASKING was refused, so the command was only redirected again.
                reply = self.replies[index] = refused
            if not isinstance(reply, ErrorReply) or reply.code not in REDIRECTS:
                done.add(index)
                continue
            self._redirected += 1
            place = _place(reply, asked) if self._redirected < 5 * len(self.commands) else None
            if place is None:
                self.must_wait = True
            elif reply.code == "MOVED":
                owners[place[0]] = place[1]
            else:
                self.asking[index] = place[1]
        self.todo = [index for index in self.todo if index not in done]


def _place(reply: ErrorReply, asked: Address) -> tuple[int, Address] | None:
    """Return the slot and the server that a redirection names; None if it names none."""
    slot, _, where = reply.text.partition(" ")
    host, _, port = where.rpartition(":")
    numbers = slot.isdecimal() and port.isdecimal()
    if reply.code not in ("MOVED", "ASK") or not numbers or int(slot) >= SLOTS:
        return None
    return int(slot), Address(asked.host if host in ("", "?") else host.strip("[]"), int(port))


def gave_up(
    batch: Batch,
    trouble: RedisUnreachable | None,
    *,
    url: str,
    seconds: float,
    option: str = "--failover-timeout",
) -> RedisUnreachable:
    """Return the failure for commands whose slots had no server for the `seconds` of `option`."""
    waited = f"Waited {seconds:g} s."
    hint = f"See 'CLUSTER NODES' on any node; {option} waits longer."
    if trouble is not None:
        return type(trouble)(f"{trouble.message} {waited}", hint=hint)
    unserved = {batch.slots[index] for index in batch.todo} - {None}
    reply = next((batch.replies[i] for i in batch.todo if batch.replies[i] is not None), None)
    because = f" ({reply})" if reply is not None else ""
    names = ranges_text(slot for slot in unserved if slot is not None)
    return RedisUnreachable(
        f"The cluster at {url} does not serve slot {names}{because}. {waited}",
        hint=hint,
    )
