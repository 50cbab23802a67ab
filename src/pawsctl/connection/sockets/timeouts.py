"""The timeouts of connections, in seconds."""

from __future__ import annotations

import time

import msgspec


class Timeouts(msgspec.Struct, frozen=True):
    """Seconds to wait for a connection, for each reply, and for the end of a failover.

    A reply may take a second more for every 64 KB received. `until` is a moment of the monotonic
    clock after which no reply is waited for. `option` is what the user would give to have a
    failover waited for longer.
    """

    connect: float = 2.0
    reply: float = 5.0
    failover: float = 15.0
    until: float | None = None
    option: str = "--failover-timeout"

    def at_most(self, seconds: float, option: str = "") -> Timeouts:
        """Return the timeouts with at most `seconds` for each, as an `option` limits them."""
        return msgspec.structs.replace(
            self,
            connect=min(self.connect, seconds),
            reply=min(self.reply, seconds),
            failover=min(self.failover, seconds),
            option=option if option and seconds < self.failover else self.option,
        )

    def for_all(self) -> Timeouts:
        """Return the timeouts with the time of one reply for everything from now on together.

        A fifth of it is left for finding out why there was no failover.
        """
        most = self.at_most(self.reply)
        return msgspec.structs.replace(
            most,
            failover=min(self.failover, self.reply * 0.8),
            until=time.monotonic() + self.reply,
            option="--timeout" if self.option == Timeouts().option else self.option,
        )

    @property
    def are_over(self) -> bool:
        """Whether the time for everything is over, if there is one."""
        return self.until is not None and time.monotonic() >= self.until
