"""One pass for all scrapers, again only after a time."""

import asyncio
import time
from collections.abc import Callable

from pawsctl.web.metrics.figures import Figures
from pawsctl.web.redis_access import threads


class SharedPass:
    """Makes a pass at most every `every` seconds, however many scrapers ask.

    A pass that takes longer than that is followed by a pause of its own length.
    """

    def __init__(self, gather: Callable[[], Figures], every: float) -> None:
        self._gather = gather
        self._every = every
        self._begun = self._ended = float("-inf")
        self._running: asyncio.Future[Figures] | None = None
        self.errors = 0

    async def figures(self, seconds: float) -> Figures | None:
        """Return the figures of the current pass, or None if it does not end in time."""
        now = time.monotonic()
        pause = max(self._every, 2 * (self._ended - self._begun))
        is_over = self._running is not None and self._running.done()
        if self._running is None or (is_over and now >= self._begun + pause):
            self._begun = now
            self._running = threads.started(self._gather)
            self._running.add_done_callback(self._has_ended)
        try:
            return await threads.within(seconds, self._running)
        except TimeoutError:
            return None

    def _has_ended(self, done: "asyncio.Future[Figures]") -> None:
        self._ended = time.monotonic()
        self.errors += done.exception() is not None or bool(done.result().error)
