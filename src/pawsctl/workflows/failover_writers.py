"""Threads that write test sessions while a primary fails, and the check of what was lost.

The sessions belong to nobody: their phones have 17 digits, more than any real number, and
each has a TTL from its first write.
"""

import secrets
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise

from pawsctl.connection import Connection, raise_for_error
from pawsctl.connection.base import Uncertain
from pawsctl.errors import PawsctlError
from pawsctl.sessions.contract.keyspace import Keyspace

# Seconds after which the sessions of an interrupted drill expire.
_TTL = 900
# Seconds between two writes, and before a retry: short enough to measure milliseconds without
# flooding the server.
_PAUSE = 0.001
_RETRY_PAUSE = 0.01
_BATCH = 500


class FailoverWriter(threading.Thread):
    """A thread that writes sessions one by one through its own connection until `stop`.

    `wanted` returns whether this writer should write a key.
    """

    def __init__(
        self,
        connect: Callable[[], Connection],
        keyspace: Keyspace,
        wanted: Callable[[bytes], bool] | None = None,
    ) -> None:
        super().__init__(daemon=True)
        self._keyspace = keyspace
        self._connect = connect
        self._wanted = wanted or (lambda _key: True)
        self._is_over = threading.Event()
        # Monotonic times of the acknowledgements.
        self.times: list[float] = []
        self.acknowledged: dict[bytes, bytes] = {}
        # Not acknowledged: failed writes were not done, uncertain ones may have been.
        self.failed: list[bytes] = []
        self.uncertain: list[bytes] = []

    def run(self) -> None:
        """Write sessions until stopped; a failure is recorded, and the next session is new."""
        with self._connect() as connection:
            while not self._is_over.wait(_PAUSE):
                key, value = self._key(), _value()
                try:
                    connection.call("SET", key, value, "EX", _TTL)
                except Uncertain:
                    self.uncertain.append(key)
                except PawsctlError:
                    self.failed.append(key)
                    self._is_over.wait(_RETRY_PAUSE)
                else:
                    self.times.append(time.monotonic())
                    self.acknowledged[key] = value

    def stop(self) -> None:
        """Ask the thread to stop writing."""
        self._is_over.set()

    def longest_silence(self) -> float:
        """Return the longest time between two successive acknowledgements, in seconds."""
        return max((after - before for before, after in pairwise(self.times)), default=0.0)

    def _key(self) -> bytes:
        while True:
            key = self._keyspace.nobodys_key()
            if self._wanted(key):
                return key


def lost(connection: Connection, writers: Iterable[FailoverWriter]) -> int:
    """Return how many acknowledged sessions are missing or differ from what was written.

    Raises the errors of `connection`, and OperationFailed if a session can't be read.
    """
    count = 0
    for writer in writers:
        for batch in _batches(writer.acknowledged):
            replies = connection.pipeline([("GET", key) for key in batch])
            for key, reply in zip(batch, replies, strict=True):
                count += raise_for_error(reply) != writer.acknowledged[key]
    return count


def delete(connection: Connection, writers: Iterable[FailoverWriter]) -> None:
    """Delete every session that may have been written."""
    for writer in writers:
        for batch in _batches((*writer.acknowledged, *writer.uncertain, *writer.failed)):
            connection.pipeline([("DEL", key) for key in batch])


def _batches(keys: Iterable[bytes]) -> Iterator[list[bytes]]:
    found = list(keys)
    for start in range(0, len(found), _BATCH):
        yield found[start : start + _BATCH]


def _value() -> bytes:
    return (
        b'{"status":"active","messages":[{"role":"user","content":"drill %s"}],"updatedAt":%d}'
        % (secrets.token_hex(8).encode(), time.time_ns() // 1_000_000)
    )
