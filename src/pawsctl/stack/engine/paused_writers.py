"""Writers held back while data is on its way: they wait, and no acknowledged write is lost."""

import threading
import time
from contextlib import suppress

from pawsctl.connection import probe
from pawsctl.stack.engine.rollback import uninterrupted

# Milliseconds after which a pause ends by itself, should pawsctl be killed. It is renewed earlier.
_PAUSE = 5000
_RENEW_AFTER = 0.5
# Seconds for a renewal: several tries must fit into a pause.
_PATIENCE = 1.0


class Writers:
    """Those who write to the Redis behind a port of this machine."""

    def __init__(self, port: int, password: str | None) -> None:
        self._port = port
        self._password = password
        self._held_until = 0.0
        self._done = threading.Event()
        self._renewal = threading.Thread(target=self._renew, daemon=True)

    def refusal(self) -> str:
        """Why Redis would hold nobody back; empty if it would, or if it does not answer."""
        try:
            probe.ask(self._port, self._password, ("CLIENT", "PAUSE", 1, "WRITE"))
        except probe.ProbeLoginRefused:
            return ""
        except probe.Refused as error:
            return str(error)
        except OSError:
            return ""
        return ""

    def hold(self) -> None:
        """Let nobody write, until `release` or until pawsctl is no more; reading goes on.

        Scripts wait, too, even those that only read. Raises wire.Refused and OSError where Redis
        does not take it: it needs Redis 6.2.
        """
        with uninterrupted():
            self._pause()
            self._renewal.start()

    def hold_again(self) -> None:
        """Hold them back anew: the pause may have run out while the server heard nothing.

        Raises what `hold` raises.
        """
        self._held_until = 0.0
        self._pause()

    @property
    def are_held(self) -> bool:
        """Whether the pause has been renewed in time, every time."""
        return time.monotonic() < self._held_until

    def let_end(self) -> None:
        """Renew the pause no more: the server is gone."""
        self._done.set()
        if self._renewal.is_alive():
            self._renewal.join()

    def release(self) -> None:
        """Let them write again; a server that is gone needs no telling."""
        with uninterrupted():
            self.let_end()
            with suppress(probe.Refused, OSError):
                probe.ask(self._port, self._password, ("CLIENT", "UNPAUSE"))

    def _pause(self, *, timeout: float = 2.0) -> None:
        asked = time.monotonic()
        pause = ("CLIENT", "PAUSE", _PAUSE, "WRITE")
        probe.ask(self._port, self._password, pause, timeout=timeout)
        # Once it has run out, it may have been renewed too late.
        if not self._held_until or asked < self._held_until:
            self._held_until = asked + _PAUSE / 1000

    def _renew(self) -> None:
        while not self._done.wait(_RENEW_AFTER):
            with suppress(probe.Refused, OSError):
                self._pause(timeout=_PATIENCE)
