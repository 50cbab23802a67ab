"""Blocking work for the event loop, in threads that never hold up the end of the process."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

Result = TypeVar("Result")


def started(work: Callable[[], Result]) -> "asyncio.Future[Result]":
    """Run a function in a thread of its own, and return the future of its result.

    The thread is a daemon: a server that hangs while Redis is asked must end in time all the same,
    and an executor's threads would be waited for.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Result] = loop.create_future()

    def settle(result: Result | None, error: BaseException | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
            # Nobody may wait for it any more.
            future.exception()
        else:
            future.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        result, failure = None, None
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 - handed to who waits
            failure = error
        # The loop may be closed by now.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(settle, result, failure)

    threading.Thread(target=run, daemon=True).start()
    return future


async def within(seconds: float, future: "asyncio.Future[Result]") -> Result:
    """Wait for a future, which goes on by itself after that time. Raises TimeoutError."""
    return await asyncio.wait_for(asyncio.shield(future), seconds)
