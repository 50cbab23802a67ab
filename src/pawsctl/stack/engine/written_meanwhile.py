"""Find out whether clients have written to servers that a failed `up` is about to remove.

A client that waits for Redis may write as soon as Redis answers, while `up` still waits for the
other services.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from pawsctl.connection import info_reply, probe
from pawsctl.stack.engine.paused_writers import Writers
from pawsctl.stack.engine.rollback import Undo

# Error replies of a server to which no client has written, unless it answered otherwise before.
_NOT_YET = ("LOADING", "DENIED")


@dataclass
class _Server:
    port: int
    password: str | None
    is_running: Callable[[], bool]
    has_answered: bool = False


class Meanwhile:
    """The servers with data that one `up` has started; `is_written` unless all are surely empty.

    `look` finds that out and pauses writers until all steps of `undo` are done.
    """

    def __init__(self, undo: Undo) -> None:
        self.undo = undo
        self._written: set[str] = set()
        self._is_known = False
        self._servers: dict[str, _Server] = {}
        self._held: list[Writers] = []
        undo.callback(self._release)

    def started(
        self, service: str, port: int, password: str | None, is_running: Callable[[], bool]
    ) -> None:
        """Add a service's server; it is asked only while `is_running`: others may have its port."""
        self._servers[service] = _Server(port, password, is_running)
        self.undo.callback(self.look)

    def answered(self, service: str) -> None:
        """Note down that a service's server takes commands: from now on it may hold keys."""
        if service in self._servers:
            self._servers[service].has_answered = True

    @property
    def is_written(self) -> bool:
        """Whether a client may have written to a server."""
        return bool(self._written)

    def written(self, service: str) -> None:
        """Note down that a service's new data is nowhere else."""
        self._written.add(service)

    def look(self) -> None:
        """Pause writers and check whether a client has written, before any server is ended."""
        if self._is_known:
            return
        self._is_known = True
        # Stays so if the check fails.
        self._written |= {*self._servers}
        running = {key: each for key, each in self._servers.items() if each.is_running()}
        for each in running.values():
            writers = Writers(each.port, each.password)
            self._held.append(writers)
            # A server that can't pause writers is asked for keys all the same.
            with suppress(probe.Refused, OSError):
                writers.hold()
        self._written = {
            key
            for key, each in self._servers.items()
            if (_may_hold_keys(each) if key in running else each.has_answered)
        }

    def keep(self, service: str, what: str) -> bool:
        """Return whether a client may have written; if so, note that the service's `what` stays.

        That of the other servers stays, too: the nodes of a topology know each other.
        """
        reason = "it belongs to the same topology"
        if service in self._written:
            reason = "it may hold keys that are nowhere else"
        sentence = f"{what} stays: {reason}."
        if self.is_written and sentence not in self.undo.left:
            self.undo.left.append(sentence)
            self.undo.hints.append(f"{self.undo.up} goes on with what stays.")
        return self.is_written

    def _release(self) -> None:
        # A server may have been kept.
        for each in self._held:
            each.release()


def _may_hold_keys(server: _Server) -> bool:
    try:
        (told,) = probe.ask(server.port, server.password, ("INFO", "keyspace"))
    except TimeoutError:
        # The server accepts connections, so it may hold keys.
        return True
    except probe.Refused as error:
        return server.has_answered or not str(error).startswith(_NOT_YET)
    except OSError:
        return server.has_answered
    return bool(info_reply.databases(info_reply.fields(told)))
