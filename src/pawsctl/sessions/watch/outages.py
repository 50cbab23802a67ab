"""Polls that outlast an outage: two events tell when the server went away and came back."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import chain
from typing import Literal, TypeVar

import msgspec

from pawsctl.connection import Connection, has_code
from pawsctl.errors import LoginRefused, OperationFailed, RedisUnreachable

RETRY_SECONDS = 0.5

# Refused as long as the server is starting, or busy with a script.
_NOT_YET = ("LOADING", "MASTERDOWN", "BUSY")

Found = TypeVar("Found")


class ConnectionEvent(msgspec.Struct, frozen=True):
    """The end of what is seen, with its `reason`, or its beginning anew.

    The first poll after it yields events for all that has changed meanwhile and is still different.
    `timeout` is the seconds after which the watch ends if the server is not back; None if it is
    back by then, as after a failover.
    """

    time: datetime
    event: Literal["disconnected", "reconnected"]
    reason: str | None = None
    timeout: float | None = None


class Outages:
    """Polls of one connection; a server that goes away after the first poll is waited for.

    It is waited for as long as for a failover. Connections to Sentinels and clusters wait by
    themselves; both events of such a wait come at its end.
    """

    def __init__(self, connection: Connection, sleep: Callable[[float], None]) -> None:
        self._connection = connection
        self._seconds = connection.timeouts.failover
        self._sleep = sleep
        self._has_polled = False

    def through(
        self, poll: Callable[[], Iterator[Found | None]]
    ) -> Iterator[Found | ConnectionEvent]:
        """Yield what a poll yields, and poll again until one has come to its end.

        A poll yields None as soon as the server has answered, before it dates the first event.
        Raises what the last poll raised, if the server was not back in time.
        """
        since: float | None = None
        while True:
            connection = self._connection.resolved()
            connection.waited, begun = "", datetime.now(UTC)
            try:
                for found in chain(poll(), (None,)):
                    has_waited = bool(connection.waited) and self._has_polled
                    if has_waited and since is None:
                        yield ConnectionEvent(begun, "disconnected", connection.waited)
                    if has_waited or since is not None:
                        yield ConnectionEvent(datetime.now(UTC), "reconnected")
                    since, connection.waited = None, ""
                    if found is not None:
                        yield found
            except (RedisUnreachable, OperationFailed) as error:
                if not self._may_pass(error):
                    raise
                if since is None:
                    since = time.monotonic()
                    yield ConnectionEvent(
                        datetime.now(UTC), "disconnected", error.message, self._seconds
                    )
                elif time.monotonic() - since > self._seconds:
                    raise error.with_context(
                        after=f"It was not back within {self._seconds:g} s.",
                        hint="--failover-timeout waits longer.",
                    ) from error
                self._sleep(RETRY_SECONDS)
            else:
                self._has_polled = True
                return

    def _may_pass(self, error: RedisUnreachable | OperationFailed) -> bool:
        waits_itself = self._connection.follows_failovers or self._connection.resolved().is_cluster
        if not self._has_polled or waits_itself or isinstance(error, LoginRefused):
            return False
        return isinstance(error, RedisUnreachable) or has_code(error.__cause__, *_NOT_YET)
