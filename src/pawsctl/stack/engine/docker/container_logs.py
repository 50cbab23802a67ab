"""Logs of containers, line by line, several containers in one stream."""

from __future__ import annotations

import heapq
import queue
import struct
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pawsctl.stack.engine.log_lines import Lines, split_stamp
from pawsctl.stack.engine.protocol import LogLine, LogQuery

if TYPE_CHECKING:
    from docker.api import APIClient

_EPOCH = datetime.fromtimestamp(0, UTC)
# Seconds; Windows delivers Ctrl-C between two waits only.
_WAIT = 0.2


def read(api: APIClient, containers: Mapping[str, str], query: LogQuery) -> Iterator[LogLine]:
    """Return the log lines of `containers` (service → id).

    They are in order of time; with `query.follow` they are in the order in which they arrive.
    """
    if query.follow:
        return _followed(api, containers, query)
    streams = [_lines(api, service, each, query) for service, each in containers.items()]
    return heapq.merge(*streams, key=lambda line: line.time or _EPOCH)


def _lines(api: APIClient, service: str, container: str, query: LogQuery) -> Iterator[LogLine]:
    from pawsctl.stack.engine.docker.sdk.api import NotUnderstood

    assembly = Lines()
    # The SDK refuses times that are not after 1970; no log is that old.
    since = query.since.timestamp() if query.since else 0.0
    chunks = api.logs(
        container,
        stream=True,
        follow=query.follow,
        timestamps=True,
        tail="all" if query.tail is None else query.tail,
        since=since if since > 0 else None,
    )
    try:
        for chunk in chunks:
            for line in assembly.feed(chunk):
                yield LogLine(service, *split_stamp(line))
    # The SDK unpacks a frame's header even if only a part of it arrived.
    except struct.error as error:
        raise NotUnderstood("its log breaks off") from error
    for line in assembly.feed(b"", last=True):
        yield LogLine(service, *split_stamp(line))


def _followed(api: APIClient, containers: Mapping[str, str], query: LogQuery) -> Iterator[LogLine]:
    arrived: queue.Queue[LogLine | Exception | None] = queue.Queue()

    def follow(service: str, container: str) -> None:
        try:
            for line in _lines(api, service, container, query):
                arrived.put(line)
            arrived.put(None)
        # Any exception is raised again in the thread that reads the lines.
        except Exception as error:  # noqa: BLE001
            arrived.put(error)

    for each in containers.items():
        threading.Thread(target=follow, args=each, daemon=True).start()
    running = len(containers)
    while running:
        try:
            item = arrived.get(timeout=_WAIT)
        except queue.Empty:
            continue
        if isinstance(item, LogLine):
            yield item
        elif item is None:
            running -= 1
        else:
            raise item
