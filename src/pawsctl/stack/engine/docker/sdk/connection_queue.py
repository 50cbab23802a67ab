"""The connections of a pool that are free, such that Ctrl-C can't leave them locked."""

import queue
from collections import deque
from typing import Any


class ConnectionQueue(queue.LifoQueue[Any]):
    """Takes and gives without a lock, and never waits.

    Python's own takes a lock in a method written in Python. A KeyboardInterrupt there, just after
    the lock was taken, leaves it so, and whoever wants a connection next waits for ever: the undo
    of what was interrupted, or the end of the process (https://bugs.python.org/issue29988).
    """

    def __init__(self, maxsize: int = 0) -> None:
        self.maxsize = maxsize
        # Each of its methods is done before an interrupt is looked for.
        self._free: deque[Any] = deque()

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        """Add a connection. Raises queue.Full if there are `maxsize`."""
        if 0 < self.maxsize <= len(self._free):
            raise queue.Full
        self._free.append(item)

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """Return the connection that was added last. Raises queue.Empty if there is none."""
        try:
            return self._free.pop()
        except IndexError:
            raise queue.Empty from None

    def qsize(self) -> int:
        """Return how many there are."""
        return len(self._free)
