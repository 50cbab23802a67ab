"""Pause writers with CLIENT PAUSE while data is moved, so that no acknowledged write is lost."""

import threading
import time
from contextlib import suppress

from pawsctl.connection import probe
from pawsctl.stack.engine.rollback import uninterrupted

# Milliseconds until a pause ends by itself if pawsctl is killed. It is renewed earlier.
_PAUSE = 5000
_RENEW_AFTER = 0.5
# Seconds; the timeout of a renewal: several tries must fit into a pause.
_PATIENCE = 1.0
# Parts of error replies: the server knows no such command, or the user may not use it.
_UNABLE = (
    "unknown command",
    "unknown subcommand",
    "wrong number of arguments",
    "syntax error",
    "noperm",
)


class Writers:
    """The clients that write to the Redis behind a port of this machine."""

    def __init__(self, port: int, password: str | None) -> None:
        self._port = port
        self._password = password
        self._held_until = 0.0
        self._done = threading.Event()
        self._renewal = threading.Thread(target=self._renew, daemon=True)

    def refusal(self) -> str:
        """Return why Redis can never pause writers; '' if it can, or does not do so just now."""
        try:
            probe.ask(self._port, self._password, ("CLIENT", "PAUSE", 1, "WRITE"))
        except probe.Refused as error:
            return str(error) if any(each in str(error).lower() for each in _UNABLE) else ""
        except OSError:
            return ""
        return ""

    def hold(self) -> None:
        """Pause writes until `release`, or until pawsctl ends; reads go on.

        Scripts wait, too, even those that only read. Raises probe.Refused or OSError if Redis does
        not accept it: it needs Redis 6.2.
        """
        with uninterrupted():
            self._pause()
            self._renewal.start()

    def hold_again(self, *, longer: float = 0) -> None:
        """Begin a new pause: the last one may have run out while the server was busy.

        It lasts `longer` seconds more than usual. Raises what `hold` raises.
        """
        self._held_until = 0.0
        self._pause(longer=longer)

    @property
    def are_held(self) -> bool:
        """Whether the pause lasts and was always renewed in time."""
        return time.monotonic() < self._held_until

    def let_end(self) -> None:
        """Stop renewing the pause: the server is gone."""
        # Interrupted, `set` could leave locked what the other thread waits for, and `join` with it.
        with uninterrupted():
            self._done.set()
            if self._renewal.is_alive():
                self._renewal.join()

    def release(self) -> None:
        """End the pause; no failure if the server is gone."""
        with uninterrupted():
            self.let_end()
            with suppress(probe.Refused, OSError):
                probe.ask(self._port, self._password, ("CLIENT", "UNPAUSE"))

    def _pause(self, *, timeout: float = 2.0, longer: float = 0) -> None:
        asked, length = time.monotonic(), _PAUSE + int(longer * 1000)
        pause = ("CLIENT", "PAUSE", length, "WRITE")
        probe.ask(self._port, self._password, pause, timeout=timeout)
        # A pause that ran out before this renewal stays marked as run out.
        if not self._held_until or asked < self._held_until:
            self._held_until = max(self._held_until, asked + length / 1000)

    def _renew(self) -> None:
        while not self._done.wait(_RENEW_AFTER):
            if self._held_until - time.monotonic() > _PAUSE / 1000:
                continue
            with suppress(probe.Refused, OSError):
                self._pause(timeout=_PATIENCE)
