"""What clients wrote to servers that an `up` has started and is about to take back.

A client that waits for Redis writes as soon as it answers, while `up` still waits for the others.
"""

from collections.abc import Callable
from contextlib import suppress

from pawsctl.connection import info_reply, probe
from pawsctl.stack.engine.paused_writers import Writers
from pawsctl.stack.engine.rollback import Undo


class Meanwhile:
    """The servers with data that one `up` has started; `is_written` if one of them holds a key.

    That is known from `look` on, and then nobody writes until all of `undo` is done.
    """

    def __init__(self, undo: Undo) -> None:
        self.undo = undo
        self.is_written = False
        self._is_known = False
        self._servers: list[tuple[int, str | None, Callable[[], bool]]] = []
        self._held: list[Writers] = []
        undo.callback(self._release)

    def started(self, port: int, password: str | None, is_running: Callable[[], bool]) -> None:
        """Note a server down; while it does not run, who answers on its port is another."""
        self._servers.append((port, password, is_running))
        self.undo.callback(self.look)

    def look(self) -> None:
        """Have writers wait, and see whether somebody has written; before any server is ended."""
        if self._is_known:
            return
        self._is_known = True
        running = [each for each in self._servers if each[2]()]
        for port, password, _ in running:
            writers = Writers(port, password)
            self._held.append(writers)
            # One that can't hold them back is asked all the same.
            with suppress(probe.Refused, OSError):
                writers.hold()
        self.is_written = any(_holds_keys(port, password) for port, password, _ in running)

    def keep(self, what: str) -> bool:
        """Whether somebody has written; then it is told that `what` stays for that."""
        sentence = f"{what} stays: it holds keys that are nowhere else."
        if self.is_written and sentence not in self.undo.left:
            self.undo.left.append(sentence)
            self.undo.hints.append("'pawsctl redis up' goes on with them.")
        return self.is_written

    def _release(self) -> None:
        # A server may have stayed.
        for each in self._held:
            each.release()


def _holds_keys(port: int, password: str | None) -> bool:
    try:
        (told,) = probe.ask(port, password, ("INFO", "keyspace"))
    except TimeoutError:
        # It accepts connections: it may hold some.
        return True
    except (probe.Refused, OSError):
        return False
    return bool(info_reply.databases(info_reply.fields(told)))
