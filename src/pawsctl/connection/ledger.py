"""What was asked to change, and what came of it, also where nobody got as far as the answers. Pure.

Every command that writes is entered before it is sent, and settled when its reply has been read. So
the ledger is right at any moment: after a lost connection and in the middle of a Ctrl-C.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from pawsctl.connection.commands import Command, as_bytes, keys_changed_by
from pawsctl.connection.replies import ErrorReply, Misread, is_in_doubt


class Outcome(NamedTuple):
    """How many keys were changed, how many were left as they were, and which may be either.

    What was refused is in none of them.
    """

    done: int
    undone: int
    unknown: Sequence[bytes]


class Ledger:
    """The commands of one connection that write, on whichever socket."""

    def __init__(self) -> None:
        # By what they are and not by what they hold: values are large.
        self._unanswered: dict[int, Command] = {}
        self._done = self._undone = 0
        # Keys of which more is known since an answer was lost.
        self._known: set[bytes] = set()
        self._has_lost = False

    def enter(self, commands: Sequence[Command]) -> None:
        """Take note of commands that are about to be sent."""
        for command in commands:
            if keys_changed_by(command):
                self._unanswered[id(command)] = command

    def settle(self, command: Command, reply: Any) -> None:
        """Take note of the reply to a command; one that can't be understood leaves it open.

        So does an error that does not say that nothing was done.
        """
        if id(command) not in self._unanswered or isinstance(reply, Misread):
            return
        if isinstance(reply, ErrorReply):
            if is_in_doubt(reply):
                return
        else:
            done = reply if type(reply) is int else int(reply is not None)
            self._done += done
            self._undone += len(keys_changed_by(command)) - done
            if self._has_lost:
                # Whatever became of an earlier command, this one has decided.
                self._known.update(map(as_bytes, keys_changed_by(command)))
        # Last: whoever is interrupted before this tells too little known, and nothing wrong.
        del self._unanswered[id(command)]

    def lose(self) -> None:
        """Take note that what was sent on some socket will not be answered there."""
        self._has_lost = True

    def resolve(self, key: bytes) -> None:
        """Take note that somebody has looked: it is known that nothing was done to a key."""
        self._known.add(key)

    def begin(self) -> None:
        """Start anew: what was before is no longer told."""
        self._unanswered.clear()
        self._done = self._undone = 0
        self._known.clear()
        self._has_lost = False

    def outcome(self) -> Outcome:
        """Return what became of the keys since `begin`."""
        unanswered = list(self._unanswered.values())
        keys = (as_bytes(key) for command in unanswered for key in keys_changed_by(command))
        unknown = [key for key in dict.fromkeys(keys) if key not in self._known]
        return Outcome(self._done, self._undone, unknown)
