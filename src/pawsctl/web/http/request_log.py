"""The log of requests: a line each, without query, body or phone."""

import queue
import threading
from collections.abc import Callable, Set
from contextlib import suppress
from datetime import UTC, datetime

import msgspec

from pawsctl.plurals import plural

# Lines that wait for a stderr that nobody reads; more are dropped, and counted.
_MOST_WAITING = 1_000
# Seconds for the last lines at the end, and for each wait until stderr takes one.
_FLUSH_SECONDS = 0.5
_STEP_SECONDS = 0.1
_LONGEST_PATH = 100
_METHODS = frozenset(
    ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT")
)


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """A line of the log: a request, or an event of the server itself."""

    time: str
    message: str = ""
    method: str = ""
    path: str = ""
    status: int | None = None
    seconds: float | None = None
    client: str = ""

    @property
    def text(self) -> str:
        """The line as a person reads it."""
        if self.message:
            return self.message
        status = "-" if self.status is None else self.status
        took = f"{(self.seconds or 0) * 1000:.1f} ms"
        return f"{self.time} {self.client} {self.method} {self.path} {status} {took}"


class Event(Entry, frozen=True, omit_defaults=True):
    """A line on something that happened between requests; a person reads when."""

    @property
    def text(self) -> str:
        """The line as a person reads it."""
        return f"{self.time} {self.message}"


class RequestLog:
    """Writes lines in a thread of its own, so that a slow reader of stderr delays no answer.

    `takes_more` waits as many seconds until a line can be written, and returns whether it can. So
    the thread never stops in the middle of one, which would keep the process from its end. With
    `hides_others`, a path that is none of the `paths` is not told.
    """

    def __init__(
        self,
        write: Callable[[Entry], None],
        takes_more: Callable[[float], bool],
        paths: Set[str],
        *,
        hides_others: bool = False,
    ) -> None:
        self._write = write
        self._takes_more = takes_more
        self._is_closing = False
        self._paths = paths
        self._hides_others = hides_others
        self._waiting: queue.Queue[Entry | None] = queue.Queue(_MOST_WAITING)
        self._dropped = 0
        self._said: set[str] = set()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def request(
        self, method: str, path: str, status: int | None, seconds: float, client: str
    ) -> None:
        """Log a request that has been answered; `status` is None if its client has gone."""
        self._put(
            Entry(
                _now(),
                method=method if method in _METHODS else "OTHER",
                path=path if path in self._paths else self._other(path),
                status=status,
                seconds=round(seconds, 6),
                client=client,
            )
        )

    def _other(self, path: str) -> str:
        return "(another path)" if self._hides_others else _masked(path)

    def message(self, sentence: str) -> None:
        """Log a sentence."""
        self._put(Entry(_now(), message=sentence))

    def event(self, sentence: str) -> None:
        """Log what has happened, with its time."""
        self._put(Event(_now(), message=sentence))

    def once(self, sentence: str) -> None:
        """Log a sentence that has not been logged yet."""
        if sentence not in self._said:
            self._said.add(sentence)
            self.message(sentence)

    def close(self) -> None:
        """Write what waits, if it can be written."""
        self._is_closing = True
        with suppress(queue.Full):
            self._waiting.put(None, timeout=_FLUSH_SECONDS)
        self._thread.join(_FLUSH_SECONDS)

    def _put(self, entry: Entry) -> None:
        try:
            self._waiting.put_nowait(entry)
        except queue.Full:
            self._dropped += 1

    def _run(self) -> None:
        while (entry := self._waiting.get()) is not None:
            while not self._takes_more(_STEP_SECONDS):
                if self._is_closing:
                    return
            self._write(entry)
            if self._dropped:
                count, self._dropped = self._dropped, 0
                sentence = f"The log left {plural(count, 'line')} out: stderr was not read in time."
                self._write(Entry(_now(), message=sentence))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _masked(path: str) -> str:
    """Return a path that is none of ours, its digits hidden: it may hold a phone."""
    shown = "".join("#" if each.isdigit() else each for each in path[:_LONGEST_PATH])
    return shown + ("…" if len(path) > _LONGEST_PATH else "")
