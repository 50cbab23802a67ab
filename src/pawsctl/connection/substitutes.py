"""Substitutes for refused commands: an older command, or one command for each key.

Old servers, and those that renamed it, don't know UNLINK; services and ACLs refuse scripts, and an
ACL on some keys refuses a command that also names other keys. A command refused once is not tried
again on this connection. Pure.
"""

from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

from pawsctl.connection.cluster.redirects import REDIRECTS
from pawsctl.connection.commands import Command, is_many, is_read, joined, name_of, parts_of
from pawsctl.connection.replies import (
    ErrorReply,
    Misread,
    PartlyRefused,
    any_refused,
    betrays_cluster,
    has_code,
    is_about_a_key,
    is_in_doubt,
    is_lost_on_the_way,
)

Send = Callable[[Sequence[Command]], list[Any]]

_OLDER = {b"UNLINK": b"DEL", b"PTTL": b"TTL"}
# Refusals because of the server's or the key's state, not because of the command.
_PASSING = (*REDIRECTS, "CROSSSLOT", "OOM", "MISCONF", "BUSY", "NOREPLICAS", "WRONGTYPE")


class Substitutes:
    """The commands that one Redis has refused, and their substitutes."""

    def __init__(self) -> None:
        self._unknown: set[bytes] = set()
        self._one_by_one: set[bytes] = set()

    def avoid_scripts(self) -> None:
        """From now on, send a command for each key instead of a script for many keys."""
        self._one_by_one.add(b"EVAL")

    def wire(self, command: Command) -> list[Command]:
        """Return the commands to send for a command: itself, unless its like was refused."""
        if not self._unknown and not self._one_by_one:
            return [command]
        name = name_of(command)
        if name in self._unknown:
            return self.wire(_older(command))
        if name in self._one_by_one and is_many(command):
            return [each for part in parts_of(command) for each in self.wire(part)]
        return [command]

    def give_up(self, name: bytes) -> None:
        """From now on, send the older substitute of the command `name`."""
        self._unknown.add(name)

    def wires(self, commands: Sequence[Command]) -> list[list[Command]]:
        """Return for each command what `wire` returns."""
        if not self._unknown and not self._one_by_one:
            return [[command] for command in commands]
        return [self.wire(command) for command in commands]

    def asked(self, commands: Sequence[Command], send: Send) -> list[Any]:
        """Send commands or their substitutes with `send`; return one reply for each command."""
        wires = self.wires(commands)
        replies = send([each for wire in wires for each in wire])
        return self.settled(commands, wires, replies, send)

    def refuses(self, command: Command, reply: Any) -> bool:
        """Return whether `reply` is a refusal for which there is a substitute to try.

        If so, `wire` returns the substitute from now on.
        """
        if not isinstance(reply, ErrorReply) or isinstance(reply, PartlyRefused):
            return False
        name = name_of(command)
        if has_code(reply, *_PASSING) or betrays_cluster(reply) or is_lost_on_the_way(reply):
            return False
        # A command with a strange reply may have been done: only a read may be repeated.
        if (isinstance(reply, Misread) or is_in_doubt(reply)) and not is_read(command):
            return False
        # Services refuse unknown commands in many words, so the text is not looked at.
        if name in _OLDER and not is_about_a_key(reply):
            self.give_up(name)
            return True
        many = is_many(command)
        # A refused script without keys shows as well that scripts are refused.
        if many or name == b"EVAL":
            self._one_by_one.add(name)
        return many

    def settled(
        self,
        commands: Sequence[Command],
        wires: Sequence[Sequence[Command]],
        replies: Sequence[Any],
        send: Send,
    ) -> list[Any]:
        """Return the reply to each command, given `replies`, the replies to `wires` in order.

        If a command was refused, its substitute is sent with `send`.
        """
        nothing_learnt = not self._unknown and not self._one_by_one
        if nothing_learnt and not any_refused(replies):
            return list(replies)
        rest = iter(replies)
        return [
            self._reply_to(command, wire, list(islice(rest, len(wire))), send)
            for command, wire in zip(commands, wires, strict=True)
        ]

    def _reply_to(
        self, command: Command, wire: Sequence[Command], answers: Sequence[Any], send: Send
    ) -> Any:
        while any(self.refuses(*each) for each in zip(wire, answers, strict=True)):
            wire = self.wire(command)
            answers = send(wire)
        if name_of(wire[0]) == b"TTL":
            answers = [each * 1000 if type(each) is int and each > 0 else each for each in answers]
        return answers[0] if is_many(wire[0]) else joined(command, answers)


def _older(command: Command) -> Command:
    return (_OLDER[name_of(command)], *command[1:])
