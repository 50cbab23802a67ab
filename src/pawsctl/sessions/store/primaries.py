"""The primaries that take an operation's writes: one that was replaced may take some with it."""

from pawsctl.connection import Connection, Node, info_fields
from pawsctl.errors import LoginRefused, OperationFailed, RedisUnreachable

# A proxy may have another of its servers answer each time; one that was replaced never does again.
_LOOKS = 5


class Primaries:
    """The primaries of a connection at the beginning of an operation, by the ids of their runs."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._before = self._runs()

    def replaced(self) -> list[str]:
        """Return the addresses of those that were restarted, or are none any more, since last time.

        Redis replicates and saves after it has replied: what they took last may be gone. If it
        can't be told, there are none.
        """
        if not self._before:
            return []
        if self._connection.follows_failovers:
            # A deposed primary takes writes for seconds; its Sentinels know the new one.
            self._connection.close()
        before, after = self._before, self._runs()
        for _ in range(_LOOKS):
            if not after or before.keys() <= after.keys():
                break
            after |= self._runs()
        self._before = after or before
        gone = [place for run, place in before.items() if after and run not in after]
        return list(dict.fromkeys(gone))

    def require_same(self) -> None:
        """Raise OperationFailed if one of them was restarted, or is none any more."""
        if gone := self.replaced():
            raise OperationFailed(
                f"A failover or a restart came in between: {', '.join(gone)} is not the primary "
                "any more that it was, and what it took last may be lost.",
                hint="Look at what is stored, and run it again if need be.",
            )

    def _runs(self) -> dict[str, str]:
        """Return the address of each primary by the id of its run; none if one does not tell."""
        try:
            return {_run(node): str(node) for node in self._connection.primaries()}
        except LoginRefused:
            raise
        except (OperationFailed, RedisUnreachable):
            return {}


def _run(node: Node) -> str:
    # A user who may not ask INFO hears of a failover, but not of a restart.
    reply = node.pipeline([("INFO", "server")])[0]
    return (info_fields(reply).get("run_id") if isinstance(reply, bytes) else "") or str(node)
