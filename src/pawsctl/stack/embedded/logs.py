"""The log of an embedded server, read from its file."""

import re
import time
from collections import deque
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

from pawsctl.stack.engine import LogLine, LogQuery
from pawsctl.stack.logs import Lines, stamp

# `6115:M 2026-11-23T09:52:34.391+00:00 * Configuration loaded`
_TIME = re.compile(r"\d+:\w (\d{4}-\S+)")
# Seconds between two looks for new lines.
_PAUSE = 0.05
_CHUNK = 1 << 16


def read(
    path: Path, service: str, query: LogQuery, *, is_running: Callable[[], bool]
) -> Iterator[LogLine]:
    """The lines of the file at `path`; followed, until the server that writes them has ended."""
    with path.open("rb") as file:
        assembly = _Assembly(service, query.since)
        written = assembly.lines(iter(lambda: file.read(_CHUNK), b""))
        yield from written if query.tail is None else deque(written, maxlen=query.tail)
        while query.follow:
            # Asked before the last look: what it wrote while it ended is read, too.
            runs = is_running()
            yield from assembly.lines(iter(lambda: file.read(_CHUNK), b""))
            if not runs:
                break
            time.sleep(_PAUSE)


class _Assembly:
    """Lines with their times; one without, as in the banner, has that of the line before it."""

    def __init__(self, service: str, since: datetime | None) -> None:
        self._service = service
        self._since = since
        self._time: datetime | None = None
        self._lines = Lines()

    def lines(self, chunks: Iterator[bytes]) -> Iterator[LogLine]:
        for chunk in chunks:
            for text in self._lines.feed(chunk):
                found = _TIME.match(text)
                self._time = stamp(found[1]) if found else self._time
                if self._since is None or (self._time and self._time >= self._since):
                    yield LogLine(self._service, self._time, text)
