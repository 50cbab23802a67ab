"""Details of the work under way, for --verbose; they go through the standard library's logging."""

import logging
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence

_log = logging.getLogger("pawsctl")


def listen(tell: Callable[[str], None]) -> None:
    """Have each detail passed to `tell` from now on."""

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            tell(record.getMessage())

    _log.handlers = [Listener()]
    _log.propagate = False
    _log.setLevel(logging.DEBUG)


class Batches:
    """The batches of commands sent to a server; each is reported when its last reply has come.

    Only the names of commands are reported: their arguments may be private.
    """

    def __init__(self, server: str) -> None:
        self._server = server
        self._is_told = _log.isEnabledFor(logging.DEBUG)
        # When each was sent, its commands, and how many replies are to come.
        self._sent: deque[tuple[float, str, int]] = deque()

    def connected(self, begun: float) -> None:
        """Tell that a connection, `begun` at that monotonic time, is made."""
        self._sent.clear()
        self._tell("connected", begun)

    def sent(self, commands: Sequence[Sequence[bytes | str | int]]) -> None:
        """Note that commands were sent."""
        if self._is_told:
            counts = Counter(_name(each[0]) for each in commands)
            words = ", ".join(f"{count} {name}" for name, count in counts.items())
            self._sent.append((time.monotonic(), words, len(commands)))

    def received(self, count: int) -> None:
        """Note that the next `count` replies have come."""
        while count and self._sent:
            begun, words, awaited = self._sent.popleft()
            if count < awaited:
                self._sent.appendleft((begun, words, awaited - count))
                return
            count -= awaited
            self._tell(words, begun)

    def _tell(self, words: str, begun: float) -> None:
        _log.debug("%s: %s, %.1f ms", self._server, words, (time.monotonic() - begun) * 1000)


def _name(word: bytes | str | int) -> str:
    return word.decode("ascii", "replace") if isinstance(word, bytes) else str(word)
