"""A brief look at the keys of a Redis on this machine; silent if it fails."""

import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from pawsctl.config.target import Address, Target, is_loopback
from pawsctl.connection import probe, read_list
from pawsctl.connection.probe import Words

_COUNT = 1000


class Glance:
    """Some keys of a Redis, read in `seconds` at most.

    A Redis on another machine, one with TLS or one behind a Unix socket is not asked.
    """

    def __init__(self, target: Target, seconds: float) -> None:
        self._target = target
        self._until = time.monotonic() + seconds

    def keys(self, pattern: bytes, most: int) -> list[bytes]:
        """Return up to `most` keys that match a glob; fewer if the time is over."""
        found: dict[bytes, None] = {}
        with suppress(probe.Refused, OSError, ValueError, TypeError):
            for address in self._servers():
                for some in self._scanned(address, pattern):
                    found |= dict.fromkeys(some)
                    if len(found) >= most:
                        break
        return list(found)[:most]

    def beginnings(self, pattern: bytes, most: int, count: int) -> list[bytes]:
        """Return the first `count` bytes of values of up to `most` keys that match a glob.

        Reads nothing if Redis would take the keys for used ones.
        """
        found: list[bytes] = []
        with suppress(probe.Refused, OSError, ValueError, TypeError):
            for address in self._servers():
                for some in self._scanned(address, pattern):
                    read = [("GETRANGE", key, 0, count - 1) for key in some[: most - len(found)]]
                    found += self._ask(address, ("CLIENT", "NO-TOUCH", "ON"), *read)[1:]
                    if len(found) >= most:
                        break
        return found

    def _servers(self) -> Iterator[Address]:
        """Yield the servers on this machine that hold keys."""
        target = self._target
        if not target.is_local or target.path is not None or target.tls is not None:
            return
        for address in target.addresses:
            if target.kind != "sentinel":
                yield address
                continue
            asked = "SENTINEL", "GET-MASTER-ADDR-BY-NAME", target.service or ""
            (found,) = self._ask(address, asked, is_sentinel=True)
            primary = Address(found[0].decode(), int(found[1]))
            if is_loopback(primary.host):
                yield primary
            return

    def _scanned(self, address: Address, pattern: bytes) -> Iterator[list[bytes]]:
        cursor: Any = 0
        while cursor != b"0":
            scan = "SCAN", cursor, "MATCH", pattern, "COUNT", _COUNT
            ((cursor, some),) = self._ask(address, scan)
            yield some

    def _ask(self, address: Address, *commands: Words, is_sentinel: bool = False) -> list[Any]:
        target = self._target
        read_list.require(commands, target)
        select: list[Words] = [("SELECT", target.db)] if target.db and not is_sentinel else []
        replies = probe.ask(
            address.port,
            target.sentinel_password if is_sentinel else target.password,
            *select,
            *commands,
            timeout=max(self._until - time.monotonic(), 0.001),
            until=self._until,
            host=address.host,
            username=target.sentinel_username if is_sentinel else target.username,
        )
        return replies[len(select) :]
