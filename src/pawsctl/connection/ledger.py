"""A ledger of write commands and their outcomes, also of those without a reply. Pure.

Every command that writes is entered before it is sent, and settled when its reply has been read. So
the ledger is right at any moment: after a lost connection and in the middle of a Ctrl-C.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from pawsctl.connection.commands import PLAIN_READS, Command, Queued, as_bytes, keys_changed_by
from pawsctl.connection.replies import ErrorReply, Misread, is_in_doubt


class Outcome(NamedTuple):
    """The number of keys changed and of keys left as they were, and the keys that may be either.

    Keys of refused commands are in none of them.
    """

    done: int
    undone: int
    unknown: Sequence[bytes]


class Account(NamedTuple):
    """How far an operation got: a sentence without its full stop, and the numbers for programs."""

    text: str
    counts: Mapping[str, int]


class Ledger:
    """The write commands of one connection, over all its sockets.

    `unanswered` are those that were entered and not settled, by their id().
    """

    def __init__(self) -> None:
        # Not by content: values are large.
        self.unanswered: dict[int, Command] = {}
        self._done = self._undone = 0
        # Keys whose state was found out after a reply was lost.
        self._known: set[bytes] = set()
        self._has_lost = False
        self._account: Callable[[Outcome], Account] | None = None

    def enter(self, commands: Sequence[Command]) -> None:
        """Record commands that are about to be sent."""
        for command in commands:
            if command[0] not in PLAIN_READS and keys_changed_by(command):
                self.unanswered[id(command)] = command

    def settle(self, command: Command, reply: Any) -> None:
        """Record the reply to a command.

        The command stays unanswered if its reply has the wrong shape, or is an error that does not
        say that nothing was done; one of a transaction until its part of EXEC's reply is recorded.
        """
        number = id(command)
        if number not in self.unanswered or isinstance(reply, Misread):
            return
        if type(command) is Queued and reply == b"QUEUED":
            return
        if isinstance(reply, ErrorReply):
            if not is_in_doubt(reply):
                del self.unanswered[number]
            return
        keys = keys_changed_by(command)
        done = reply if type(reply) is int else int(reply is not None)
        undone = len(keys) - done
        # Without a call, in which an interruption would come: before this it leaves the keys
        # unknown, and after this they are counted.
        self._done += done
        self._undone += undone
        del self.unanswered[number]
        if self._has_lost:
            # The later command decided the key's state, whatever one without a reply did.
            self._known.update(map(as_bytes, keys))

    def lose(self) -> None:
        """Record that a socket was lost with the replies to what was sent on it."""
        self._has_lost = True

    def resolve(self, key: bytes) -> None:
        """Record that a look at the key has shown that nothing was done to it."""
        self._known.add(key)

    def begin(self, account: Callable[[Outcome], Account] | None = None) -> None:
        """Reset: `outcome` tells only of commands entered from now on; `account` puts it in words.

        These words are right until the next `begin`, also after the operation has ended.
        """
        self._account = None
        self.unanswered.clear()
        self._done = self._undone = 0
        self._known.clear()
        self._has_lost = False
        self._account = account

    def account(self) -> Account | None:
        """Return the outcome in words; None if there are none for it."""
        return None if self._account is None else self._account(self.outcome())

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Leave what is tried meanwhile, on keys of nobody, out of the record."""
        done, undone, known = self._done, self._undone, set(self._known)
        unanswered = dict(self.unanswered)
        try:
            yield
        finally:
            self._done, self._undone, self._known = done, undone, known
            self.unanswered = unanswered

    def outcome(self) -> Outcome:
        """Return the outcome of all commands since `begin`."""
        unanswered = list(self.unanswered.values())
        keys = (as_bytes(key) for command in unanswered for key in keys_changed_by(command))
        unknown = [key for key in dict.fromkeys(keys) if key not in self._known]
        return Outcome(self._done, self._undone, unknown)
