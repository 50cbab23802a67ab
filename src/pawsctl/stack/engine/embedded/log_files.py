"""The logs of embedded servers, read from their files."""

import heapq
import re
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from pawsctl.files.state_dir import usable
from pawsctl.stack.engine.log_lines import Lines, stamp
from pawsctl.stack.engine.protocol import LogLine, LogQuery

# `6115:M 2026-11-23T09:52:34.391+00:00 * Configuration loaded`
_TIME = re.compile(r"\d+:\w (\d{4}-\S+)")
# Seconds between two reads for new lines.
_PAUSE = 0.05
_CHUNK = 1 << 16
_EPOCH = datetime.fromtimestamp(0, UTC)


def read(
    paths: Mapping[str, Path], query: LogQuery, *, is_running: Callable[[], bool]
) -> Iterator[LogLine]:
    """Yield the lines of the files of `paths` (service → file), existing lines in order of time.

    With `query.follow`, new lines follow until all servers have ended. Raises OperationFailed if a
    file can't be read.
    """
    with ExitStack() as files:
        assemblies = [
            _Assembly(service, query.since, files.enter_context(_opened(path)))
            for service, path in paths.items()
        ]
        written = [
            each.lines() if query.tail is None else iter(deque(each.lines(), maxlen=query.tail))
            for each in assemblies
        ]
        yield from heapq.merge(*written, key=lambda line: line.time or _EPOCH)
        while query.follow:
            # Checked before the files are read, so that lines written at shutdown are read, too.
            runs = is_running()
            for each in assemblies:
                yield from each.lines()
            if not runs:
                break
            time.sleep(_PAUSE)


def _opened(path: Path) -> BinaryIO:
    with usable(path.parent):
        return path.open("rb")


class _Assembly:
    """The lines of a log with their times; a line without one gets that of the line before it.

    The lines of the server's banner have none.
    """

    def __init__(self, service: str, since: datetime | None, file: BinaryIO) -> None:
        self._service = service
        self._file = file
        self._since = since
        self._time: datetime | None = None
        self._lines = Lines()

    def lines(self) -> Iterator[LogLine]:
        """Yield the lines written since the last call."""
        for chunk in iter(lambda: self._file.read(_CHUNK), b""):
            for text in self._lines.feed(chunk):
                found = _TIME.match(text)
                self._time = stamp(found[1]) if found else self._time
                if self._since is None or (self._time and self._time >= self._since):
                    yield LogLine(self._service, self._time, text)
