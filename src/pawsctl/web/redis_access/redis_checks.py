"""Questions of requests to Redis: whether it answers, and the value of a session."""

import asyncio
import time
from collections.abc import Callable

import msgspec

from pawsctl.connection import Connection, Notice, has_code, raise_for_error
from pawsctl.errors import PawsctlError, RedisUnreachable
from pawsctl.server import health
from pawsctl.sessions.contract import keys
from pawsctl.sessions.contract.keyspace import Keyspace
from pawsctl.web.redis_access import threads
from pawsctl.web.redis_access.connection_pool import ConnectionPool

# Sessions that are read at the same time, so that a Redis that hangs holds no more threads.
_LOOKUPS = 8
# The bytes of a value that are read; the bot's have some ten thousand.
_MOST_BYTES = 4 << 20


class TooLargeValue(PawsctlError):
    """A stored value has more bytes than are read for a request."""


class Answer(msgspec.Struct, frozen=True):
    """Whether Redis answers, and whether it can do the bot's work; `reason` says why not."""

    is_up: bool
    reason: str = ""
    is_ready: bool = True


class RedisChecks:
    """Asks Redis for requests; each answer comes within `seconds`, whatever Redis does.

    Requests that come while Redis is being checked share the check's result. `notice` gets a
    sentence when Redis goes, and when it comes back.
    """

    def __init__(
        self,
        connect: Callable[[], Connection],
        keyspace: Keyspace,
        seconds: float,
        notice: Notice,
    ) -> None:
        self.seconds = seconds
        self.keyspace = keyspace
        self._notice = notice
        self._was_up = self._was_ready = True
        self._pool = ConnectionPool(connect)
        # By whether everything is checked.
        self._checks: dict[bool, asyncio.Future[Answer]] = {}
        self._lookups = asyncio.Semaphore(_LOOKUPS)

    async def answer(self) -> Answer:
        """Return whether every primary answers, and every slot of a cluster is served."""
        return await self._shared(is_whole=False)

    async def readiness(self) -> Answer:
        """Return the same, and whether Redis may be read, and takes writes unless read-only."""
        found = await self._shared(is_whole=True)
        if found.is_up and found.is_ready != self._was_ready:
            self._was_ready = found.is_ready
            self._notice(
                "Redis is ready again." if found.is_ready else f"Redis is not ready: {found.reason}"
            )
        return found

    async def _shared(self, *, is_whole: bool) -> Answer:
        check = self._checks.get(is_whole)
        if check is None or check.done():
            check = threads.started(lambda: self.answer_now(is_whole=is_whole))
            self._checks[is_whole] = check
        try:
            found = await threads.within(self.seconds, check)
        except TimeoutError:
            found = _down(f"Redis did not answer within {self.seconds:g} s.")
        if found.is_up != self._was_up:
            self._was_up = found.is_up
            self._notice(
                "Redis answers again." if found.is_up else f"Redis is down: {found.reason}"
            )
        return found

    def answer_now(self, *, is_whole: bool = False) -> Answer:
        """Return the same, however long it takes; blocks."""
        try:
            with self._pool.connection() as connection:
                unready = _require_answers(connection, self.keyspace, is_whole=is_whole)
        except PawsctlError as error:
            return _down(error.message)
        return Answer(True, unready, is_ready=not unready)

    async def value(self, phone: str) -> bytes | None:
        """Return what is stored for a phone under the bot's key for it; None for no string.

        Raises TimeoutError, PawsctlError if Redis can't be asked, and TooLargeValue.
        """
        key = (self.keyspace.prefix + keys.normalised(phone)).encode()
        begun = time.monotonic()
        await asyncio.wait_for(self._lookups.acquire(), self.seconds)
        lookup = threads.started(lambda: self._value(key))
        # Only then is the thread free again.
        lookup.add_done_callback(lambda _future: self._lookups.release())
        return await threads.within(max(0.0, self.seconds - (time.monotonic() - begun)), lookup)

    def _value(self, key: bytes) -> bytes | None:
        with self._pool.connection() as connection:
            # Of a value without end, no more than can be used.
            reply = connection.pipeline([("GETRANGE", key, 0, _MOST_BYTES)])[0]
            if has_code(reply, "NOPERM"):
                reply = connection.pipeline([("GET", key)])[0]
        if has_code(reply, "WRONGTYPE"):
            return None
        value: bytes | None = raise_for_error(reply)
        if value is not None and len(value) > _MOST_BYTES:
            raise TooLargeValue(f"The stored value has more than {_MOST_BYTES >> 20} MB.", hint="")
        return value


def _down(reason: str) -> Answer:
    return Answer(False, reason, is_ready=False)


def _require_answers(connection: Connection, keyspace: Keyspace, *, is_whole: bool) -> str:
    """Return why Redis can't do the bot's work, if the whole is checked; empty if it can.

    Raises RedisUnreachable unless every primary answers, and every slot of a cluster is served:
    whoever holds the connection then closes it, and another one may find a new primary.
    """
    connection.connect()
    kinds: list[health.Kind] = ["answers", "reads", "writes"] if is_whole else ["answers"]
    if connection.resolved().is_cluster:
        kinds.append("slots")
    unready = ""
    for check in health.check(connection, keyspace, kinds).checks:
        if check.ok or check.skipped:
            continue
        if check.name.endswith((health.NAMES["reads"], health.NAMES["writes"])):
            unready = unready or f"'{check.name}' failed: {check.detail.rstrip('.')}."
            continue
        node, is_silent, _ = check.name.partition(" answers")
        silent = f"{node} does not answer"
        reason = silent if is_silent and check.detail == health.SILENT else check.detail
        raise RedisUnreachable(f"{reason.rstrip('.')}.", hint="")
    return unready
