"""Connections to Redis that are kept between requests, for one thread at a time each."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pawsctl.connection import Connection

_MOST_KEPT = 8
# Seconds for which a connection is used that does not notice a failover or a new node by itself.
_TRUSTED = 1.0


class ConnectionPool:
    """Hands out connections, and keeps those that have not failed."""

    def __init__(self, connect: Callable[[], Connection]) -> None:
        self._connect = connect
        self._kept: deque[tuple[float, Connection]] = deque()

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """Yield a connection, and close it if anything fails."""
        made, connection = self._taken()
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
        if len(self._kept) < _MOST_KEPT:
            self._kept.append((made, connection))
        else:
            connection.close()

    def _taken(self) -> tuple[float, Connection]:
        while True:
            try:
                # The last used comes first, so that the others grow old and are closed.
                made, connection = self._kept.pop()
            except IndexError:
                return time.monotonic(), self._connect()
            if _is_single(connection) or time.monotonic() - made < _TRUSTED:
                return made, connection
            connection.close()


def _is_single(connection: Connection) -> bool:
    """Return whether it is one server, named by its address."""
    return not connection.follows_failovers and not connection.resolved().is_cluster
