"""HTTP for one connection, whose requests must come in whole in time."""

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

# Seconds for the head of a request, from its first byte or from the connection on.
_HEAD_SECONDS = 10.0


class BoundedProtocol(H11Protocol):
    """Closes a connection on which a request has begun and does not go on.

    uvicorn itself waits for it without end, so that a thousand silent clients would keep all others
    out. Connections beyond the limit are refused with 503, and the others are served.
    """

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for the first request."""
        super().connection_made(transport)
        # uvicorn would refuse every request while there are too many connections, also on those
        # that were there first.
        is_one_too_many = len(self.connections) > (self.config.limit_concurrency or 0)
        self.limit_concurrency = 0 if is_one_too_many else None
        self._late: asyncio.TimerHandle | None = None
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Take a part of a request."""
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        super().connection_lost(exc)
        self._cancel()

    def on_response_complete(self) -> None:
        """Go on with what has come of the next request."""
        super().on_response_complete()
        self._watch()

    def _watch(self) -> None:
        is_new = self.cycle is None
        is_between = is_new or self.cycle.response_complete
        is_due = is_new or bool(self.conn.trailing_data[0])
        if not is_between or not is_due or self.transport.is_closing():
            self._cancel()
        elif self._late is None:
            self._late = self.loop.call_later(_HEAD_SECONDS, self.transport.close)

    def _cancel(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None
