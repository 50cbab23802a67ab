"""Loopback ports that tests may give to servers.

Each process that runs tests claims a block of ports of its own, so that tests run at the same time,
by one run or several, never share a port. A claim is a bound socket: it ends with the process.
All ports lie below the range that systems use for outgoing connections (32768 up on Linux):

    10000 to 12479  topologies: 40 blocks of 3 values for REDIS_PORT, with the ports that follow
                    from them there, at +10000 (cluster buses) and at +20000 (Sentinels)
    12800 to 19999  single servers: 40 blocks of 180, their cluster buses at +10000
"""

import contextlib
import functools
import itertools
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

BUS_OFFSET = 10_000
"""The number that Redis adds to a node's port for its cluster bus."""

_BLOCKS = 40
_FIRST, _SIZE = 12_800, 180
_BASES = [*range(10_000, 10_620, 10), *range(11_240, 11_860, 10)]
_BASES_EACH = len(_BASES) // _BLOCKS
_DEADLINE_SECONDS = 30.0


class _Block(NamedTuple):
    """The ports of one process; `claim` holds the first port, which is never handed out."""

    claim: socket.socket
    ports: Iterator[int]
    bases: Iterator[int]


@functools.cache
def _block() -> _Block:
    """Return the block of this process, claimed at the first call."""
    for number in range(_BLOCKS):
        claim = socket.socket()
        first = _FIRST + number * _SIZE
        try:
            claim.bind(("127.0.0.1", first))
        except OSError:
            claim.close()
            continue
        bases = itertools.cycle(_BASES[number * _BASES_EACH :][:_BASES_EACH])
        return _Block(claim, itertools.cycle(range(first + 1, first + _SIZE)), bases)
    raise AssertionError(f"{_BLOCKS} other processes run tests on this machine")


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nothing listens on, with its cluster bus port free too.

    It is returned again only after all other ports of this process's block.
    """
    ports = _block().ports
    return _first_free(lambda: next(ports), lambda port: (port, port + BUS_OFFSET))


def free_base(follow: Callable[[int], Iterable[int]]) -> int:
    """Return a REDIS_PORT that is free, as are the ports that `follow` derives from it."""
    bases = _block().bases
    return _first_free(lambda: next(bases), lambda base: (base, *follow(base)))


def _first_free(candidate: Callable[[], int], needed: Callable[[int], Iterable[int]]) -> int:
    deadline = time.monotonic() + _DEADLINE_SECONDS
    for tries in itertools.count(1):
        port = candidate()
        if all(map(_is_free, needed(port))):
            return port
        if tries % _SIZE == 0:
            assert time.monotonic() < deadline, "every port of this process's block is in use"
            time.sleep(0.05)
    raise AssertionError("unreachable")


def _is_free(port: int) -> bool:
    with socket.socket() as probe, contextlib.suppress(OSError):
        # As servers do, so that lingering closed connections do not block the port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
        return True
    return False
