"""Writing many sessions at a time, each atomically and with its own expiry."""

import time
from collections.abc import Iterator, Sequence
from typing import Any

from pawsctl.connection import (
    Command,
    ErrorReply,
    TooLarge,
    Uncertain,
    has_code,
    raise_for_error,
    refused,
)
from pawsctl.errors import OperationFailed, PawsctlError, RedisUnreachable
from pawsctl.sessions.contract.saved import LATEST_MS, Saved
from pawsctl.sessions.store.reader import SessionReader
from pawsctl.sessions.store.store import SessionStore

# Redis can store an expiry that far from now, whatever the time is.
_LONGEST_MS = LATEST_MS // 2

# A server may refuse a value of this many bytes: `client-query-buffer-limit` is 1 MB at least.
_LARGE = 512 * 1024

# An ACL, a full memory, and an append-only file or replicas that do not keep up. Of a replica there
# is a warning: its primary would take them.
_NO_WRITES = ("NOPERM", "OOM", "MISCONF", "NOREPLICAS")
_NOT_KNOWN = (
    "Whether Redis would take these sessions is not known: it refuses the transactions in which "
    "that would be tried."
)


class BulkWriter:
    """Writes sessions to a store.

    A session is written by one SET, so that its value is never stored without its TTL. With
    `replace`, an existing key is replaced; without it, it is left as it is, its TTL included.
    """

    def __init__(self, store: SessionStore, *, replace: bool) -> None:
        self._store = store
        self._replace = replace
        self._knows_pxat = True
        self._offset = clock_offset(store)

    def now_ms(self) -> float:
        """Return the server's time now, in milliseconds since the epoch."""
        return (time.time() + self._offset) * 1000

    def prepare(self, names: Sequence[bytes]) -> None:
        """Take the keys of the next batch, also of sessions that will not be written."""

    def would_write(self, sessions: Sequence[Saved]) -> list[Any]:
        """Return what `write` would return. Raises OperationFailed if Redis would refuse it now.

        If it does not tell, that is said.
        """
        found = self.refusals(sessions)
        if found is None and not self._store.connection.target.read_only:
            self._store.connection.note(_NOT_KNOWN)
        for each in found or ():
            if has_code(each, *_NO_WRITES):
                raise refused(each)
        if self._replace:
            return [True] * len(sessions)
        replies = self._store.connection.pipeline([(b"EXISTS", each.key) for each in sessions])
        return [not raise_for_error(reply) for reply in replies]

    def refusals(self, sessions: Sequence[Saved]) -> list[ErrorReply] | None:
        """Return the refusals with which Redis would answer `write`; None if it does not tell.

        Where only reads are sent, nothing is tried.
        """
        if self._store.connection.target.read_only:
            return None
        # Without the values, which may be large.
        return self._store.refusals_of(
            [
                (b"RESTORE", each.key, 0, b"") if each.dumped else (b"SET", each.key, b"")
                for each in sessions
            ]
        )

    def write(self, sessions: Sequence[Saved]) -> list[Any]:
        """Write a batch; return for each session true, false if an existing key stays, or an error.

        An error is an ErrorReply; a TooLarge if the server hangs up at a large value.
        """
        replies = [
            reply
            for some in _portions(sessions)
            for reply in (self._sent(some) if len(some) > 1 else [self._write_alone(some[0])])
        ]
        written = [_is_written(each) for each in replies]
        refused = [number for number, each in enumerate(written) if _is_syntax_error(each)]
        if refused and self._knows_pxat:
            # A server before 6.2; it has done nothing of the commands it refused.
            self._knows_pxat = False
            again = self.write([sessions[number] for number in refused])
            for number, each in zip(refused, again, strict=True):
                written[number] = each
        return written

    def _sent(self, sessions: Sequence[Saved]) -> list[Any]:
        return self._store.connection.pipeline([self._command(each) for each in sessions])

    def _write_alone(self, saved: Saved) -> Any:
        connection = self._store.connection
        try:
            reply = self._sent([saved])[0]
        except Uncertain as error:
            if len(saved.value) < _LARGE:
                raise
            try:
                stored = connection.call("GET", saved.key)
            except PawsctlError:
                raise error from None
            if stored == saved.value:
                raise
            # The GET has shown that it was not written: no longer in doubt.
            connection.ledger.resolve(saved.key)
            cause = error.__cause__
            said = cause.message if isinstance(cause, PawsctlError) else error.message
            return TooLarge(len(saved.value), said)
        is_large = len(saved.value) >= _LARGE
        # "Protocol error: invalid bulk length", or a service's own message.
        if is_large and has_code(reply, "ERR") and not _is_syntax_error(reply):
            return TooLarge(len(saved.value), str(reply))
        return reply

    def _restoring(self, saved: Saved) -> Command:
        left_ms = 0
        if saved.expires_at is not None:
            # RESTORE knows moments only since 5.0; 0 is never.
            left_ms = max(1, min(saved.expires_at - int(self.now_ms()), _LONGEST_MS))
        replace = (b"REPLACE",) if self._replace else ()
        return (b"RESTORE", saved.key, left_ms, saved.value, *replace)

    def _command(self, saved: Saved) -> Command:
        if saved.dumped:
            return self._restoring(saved)
        command: Command = (b"SET", saved.key, saved.value)
        if not self._replace:
            command = (*command, b"NX")
        if saved.expires_at is None:
            return command
        if self._knows_pxat:
            # A moment and no TTL: however long the command is under way, the key expires in time.
            return (*command, b"PXAT", saved.expires_at)
        left_ms = saved.expires_at - int(self.now_ms())
        # Such a server adds its own time unchecked: if the sum overflows, the key is deleted.
        return (*command, b"PX", max(1, min(left_ms, _LONGEST_MS)))


def _is_written(reply: Any) -> Any:
    """Return whether a SET or RESTORE has written, or the error with which it was refused."""
    if has_code(reply, "BUSYKEY"):
        return False
    return reply if isinstance(reply, ErrorReply) else reply is not None


def _portions(sessions: Sequence[Saved]) -> Iterator[Sequence[Saved]]:
    """Yield the sessions in their order, a large one alone: a hang-up is then due to it."""
    some: list[Saved] = []
    for each in sessions:
        if len(each.value) >= _LARGE:
            if some:
                yield some
                some = []
            yield [each]
        else:
            some.append(each)
    if some:
        yield some


def _is_syntax_error(reply: Any) -> bool:
    return isinstance(reply, ErrorReply) and "syntax error" in str(reply)


def clock_offset(store: SessionReader) -> float:
    """Return the seconds that the server's clock is ahead of this machine's; 0 if it does not tell.

    The server expires keys by its own clock, and a virtual machine's lags after the laptop slept.
    """
    before = time.time()
    try:
        seconds, microseconds = store.connection.call("TIME")
    except (OperationFailed, RedisUnreachable):
        # A proxy may hang up at what it does not know, even at the first command. If there is no
        # Redis, the next one tells.
        return 0.0
    return int(seconds) + int(microseconds) / 1e6 - (before + time.time()) / 2
