"""Find out whether clients have written to servers that a failed `up` is about to remove.

A client that waits for Redis may write as soon as Redis answers, while `up` still waits for the
other services.
"""

from collections.abc import Callable
from contextlib import suppress

from pawsctl.connection import info_reply, probe
from pawsctl.stack.engine.paused_writers import Writers
from pawsctl.stack.engine.rollback import Undo


class Meanwhile:
    """The servers with data that one `up` has started; `is_written` if one of them holds a key.

    `look` finds that out and pauses writers until all steps of `undo` are done.
    """

    def __init__(self, undo: Undo) -> None:
        self.undo = undo
        self.is_written = False
        self._is_known = False
        self._servers: list[tuple[int, str | None, Callable[[], bool]]] = []
        self._held: list[Writers] = []
        undo.callback(self._release)

    def started(self, port: int, password: str | None, is_running: Callable[[], bool]) -> None:
        """Add a server; it is asked only while `is_running`, as others may answer on its port."""
        self._servers.append((port, password, is_running))
        self.undo.callback(self.look)

    def look(self) -> None:
        """Pause writers and check whether a client has written, before any server is ended."""
        if self._is_known:
            return
        self._is_known = True
        running = [each for each in self._servers if each[2]()]
        for port, password, _ in running:
            writers = Writers(port, password)
            self._held.append(writers)
            # A server that can't pause writers is asked for keys all the same.
            with suppress(probe.Refused, OSError):
                writers.hold()
        self.is_written = any(_holds_keys(port, password) for port, password, _ in running)

    def keep(self, what: str) -> bool:
        """Return whether a client has written; if so, note for the message that `what` stays."""
        sentence = f"{what} stays: it holds keys that are nowhere else."
        if self.is_written and sentence not in self.undo.left:
            self.undo.left.append(sentence)
            self.undo.hints.append("'pawsctl redis up' goes on with them.")
        return self.is_written

    def _release(self) -> None:
        # A server may have been kept.
        for each in self._held:
            each.release()


def _holds_keys(port: int, password: str | None) -> bool:
    try:
        (told,) = probe.ask(port, password, ("INFO", "keyspace"))
    except TimeoutError:
        # It accepts connections, so it may hold keys.
        return True
    except (probe.Refused, OSError):
        return False
    return bool(info_reply.databases(info_reply.fields(told)))
