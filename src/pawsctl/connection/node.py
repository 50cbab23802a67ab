"""One Redis server behind one socket of redis-py.

Commands go out in batches (`send`, then `receive`), so that a caller can ask for the next batch
before it works on the last. All values are bytes: one value that is not UTF-8 must not end a scan.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from pawsctl.config.target import Target
from pawsctl.connection import read_list, reply_shapes
from pawsctl.connection.commands import Command, is_read, without_numbers
from pawsctl.connection.last_words import LastWords
from pawsctl.connection.ledger import Ledger
from pawsctl.connection.replies import ErrorReply, betrays_cluster, mode_of, raise_for_error
from pawsctl.connection.sdk_errors import explained, hung_up, reply_in
from pawsctl.connection.sockets.of_target import socket_of
from pawsctl.connection.sockets.timeouts import Timeouts
from pawsctl.connection.sockets.whole_replies import next_reply
from pawsctl.deadline import Deadline
from pawsctl.tracing import Batches

Notice = Callable[[str], None]
"""Takes a sentence that the user should hear and that is no failure."""

# Every connection sends these before its first command; ASK_FOR_CLUSTER too if the server may be a
# cluster's node. A server that does not know or allow them is used all the same.
_GREETING: tuple[Command, ...] = (
    ("CLIENT", "SETNAME", "pawsctl"),
    # Reading a key for inspection must not make it look used: eviction goes by that.
    ("CLIENT", "NO-TOUCH", "ON"),
)
# HELLO is allowed to every user; servers before 6.0 don't know it, and allow INFO to every user.
ASK_FOR_CLUSTER: tuple[Command, ...] = (("INFO", "cluster"), ("HELLO", 2))


class Node:
    """One Redis server behind one socket; `target` is standalone and names this server."""

    def __init__(
        self,
        target: Target,
        timeouts: Timeouts,
        notice: Notice,
        *,
        greeting: Sequence[Command] = (),
        program: str = "Redis",
        ledger: Ledger | None = None,
    ) -> None:
        self.target = target
        self.program = program
        self._ledger = ledger or Ledger()
        self._timeouts = timeouts
        self._notice = notice
        self._greeting = (*_GREETING, *greeting)
        self._deadline = Deadline(timeouts.reply, timeouts.until)
        self._words = LastWords()
        self._socket = self._made(target)
        # The parts of the greeting, and the commands, that were sent and not answered.
        self._greeted: deque[Command] = deque()
        self._sent: deque[Command] = deque()
        self._batches = Batches(str(self))
        # Whether it has answered, and with a misshapen reply, since it was last connected.
        self.has_answered = self._is_misread = False
        # How often the server was found to have closed the connection since the last reply.
        self.cuts = 0
        # From the replies to ASK_FOR_CLUSTER, or from refusals.
        self.is_cluster = False
        self.is_sentinel = False
        # Whether it has told its mode in reply to ASK_FOR_CLUSTER.
        self.has_told_mode = False

    def __str__(self) -> str:
        return str(self.target.addresses[0] if self.target.addresses else self.target.path)

    def _made(self, target: Target) -> Any:
        seconds = self._timeouts.connect, self._timeouts.reply
        return socket_of(target, seconds, deadline=self._deadline, words=self._words)

    def connect(self) -> None:
        """Connect and log in; reconnect if the server has closed the connection while it was idle.

        No reply may be under way. `send` connects by itself but does not reconnect; `pipeline` does
        both. Raises RedisUnreachable, LoginRefused.
        """
        if self._was_cut():
            self.cuts += 1
            self._socket.disconnect()
        if not self._socket.is_connected:
            self._open()

    def _open(self) -> None:
        self.has_answered = self._is_misread = False
        self._sent.clear()
        begun = time.monotonic()
        try:
            self._log_in()
            self._batches.connected(begun)
            self._send(self._greeting)
        except BaseException as error:
            self._failed(error)
            raise
        self._greeted = deque(self._greeting)

    def _log_in(self) -> None:
        from pawsctl.connection.sockets.sdk import exceptions

        self._words.begin()
        try:
            self._socket.connect()
        except exceptions.AuthenticationError as error:
            # The server has no password: go on without one, as redis-cli does.
            if "without any password" not in str(error) and "no password is set" not in str(error):
                raise
            self._notice(f"{self.program} at {self.target.url} asks for no password; none is used.")
            self._socket = self._made(self.target.with_login(None, None))
            self._socket.connect()

    def send(self, commands: Sequence[Command]) -> None:
        """Send commands; `receive` reads their replies in the same order. Raises ReadOnly."""
        read_list.require(commands, self.target)
        if not self._socket.is_connected:
            self._open()
        try:
            if self._greeted and not all(map(is_read, commands)):
                # If it hangs up at the greeting, no write must be sent twice.
                self._read_greeting()
            self._ledger.enter(commands)
            if not self._greeted and not self._sent:
                self._words.asked_more()
            self._send(commands)
        except BaseException as error:
            self._failed(error)
            raise
        self._sent.extend(commands)
        self._batches.sent(commands)

    def receive(self, count: int, *, goes_on: bool = False) -> list[Any]:
        """Return the next `count` replies; a refusal or a misshapen reply is an ErrorReply.

        `goes_on` says that commands whose replies have other shapes follow at once: they will show
        if there was a reply too many, which saves a look at the socket.
        """
        sent, words, ledger = self._sent, self._words, self._ledger
        replies = []
        try:
            if self._greeted:
                self._read_greeting()
            for _ in range(count):
                command = words.asked = sent.popleft()
                came = self._reply()
                reply = reply_shapes.read(command, came, came_otherwise=words.came_otherwise)
                if reply is not came:
                    self._is_misread = True
                if ledger.unanswered:
                    ledger.settle(command, reply)
                replies.append(reply)
            if not sent:
                if not goes_on:
                    self._require_end()
                if self._is_misread:
                    # The next command, too, could get another one's reply.
                    self._socket.disconnect()
        except BaseException as error:
            self._failed(error)
            raise
        self._batches.received(count)
        return replies

    def _require_end(self) -> None:
        """Raise InvalidResponse if another reply follows the last: none may be the right one's.

        An error is the server's reason to hang up next, and the end of the connection is none.
        """
        from pawsctl.connection.sockets.sdk import exceptions

        try:
            if not self._socket.can_read(0) or isinstance(self._reply(), ErrorReply):
                return
        except (exceptions.ConnectionError, exceptions.TimeoutError, OSError):
            return
        raise exceptions.InvalidResponse("more replies than commands")

    def _read_greeting(self) -> None:
        from pawsctl.connection.sockets.sdk import exceptions

        try:
            while self._greeted:
                reply = self._reply()
                told = reply if isinstance(reply, bytes) else b""
                self.is_cluster |= b"cluster_enabled:1" in told or mode_of(reply) == b"cluster"
                self.is_sentinel |= mode_of(reply) == b"sentinel"
                self.has_told_mode |= b"cluster_enabled:" in told or bool(mode_of(reply))
                self._greeted.popleft()
        except exceptions.ConnectionError as error:
            if self.has_answered or not hung_up(error):
                raise
            # A proxy that hangs up at unknown commands. Only reads were sent after the greeting.
            self._socket.disconnect()
            self._greeting = ()
            self._greeted.clear()
            self._log_in()
            if self._sent:
                self._send(self._sent)

    def pipeline(self, commands: Sequence[Command]) -> list[Any]:
        """Send commands and read their replies, in one round trip."""
        self.connect()
        self.send(commands)
        return self.receive(len(commands))

    def call(self, *command: bytes | str | int) -> Any:
        """Send one command and return its reply. Raises OperationFailed for an error reply."""
        return raise_for_error(self.pipeline([command])[0])

    def _was_cut(self) -> bool:
        from pawsctl.connection.sockets.sdk import exceptions

        if not self._socket.is_connected or self._greeted:
            return False
        try:
            # No reply is awaited: readable data is the end, or the server's reason for it.
            return self._words.are_farewell or bool(self._socket.can_read(0))
        except (exceptions.RedisError, OSError):
            return True

    def close(self) -> None:
        """Close the socket."""
        self._socket.disconnect()

    def _send(self, commands: Sequence[Command]) -> None:
        import hiredis

        # redis-py's own packing looks at each argument in Python: half a microsecond for a key.
        # Its stub forgets that a command may have several parts.
        pack: Callable[[tuple[bytes | str, ...]], bytes] = hiredis.pack_command  # type: ignore[assignment]
        packed = [pack(without_numbers(each)) for each in commands]
        self._socket.send_packed_command([b"".join(packed)])

    def _reply(self) -> Any:
        try:
            # The socket is closed by _failed, and not where redis-py raises a reply as a failure.
            reply = next_reply(self._socket, before_waiting=self._deadline.restart)
        except Exception as error:
            if (reply := reply_in(error)) is None:
                raise
            self.is_cluster |= betrays_cluster(reply)
            self._words.heard(reply, is_first=not self.has_answered or bool(self._greeted))
        else:
            # The server went on answering.
            self._words.said = ""
        self.has_answered = True
        return reply

    def _failed(self, error: BaseException) -> None:
        """Close the socket, and translate an exception of the SDK into one of ours."""
        from pawsctl.connection.sockets.sdk import exceptions

        if isinstance(error, (exceptions.RedisError, OSError)):
            self._ledger.lose()
            self._socket.disconnect()
            raise explained(
                error,
                self.target,
                program=self.program,
                was_connected=self.has_answered,
                last_words=self._words,
                timeout=self._timeouts.connect,
            ) from error
        # Replies may be under way; on this socket the next command would take them for its own.
        self._socket.disconnect()
