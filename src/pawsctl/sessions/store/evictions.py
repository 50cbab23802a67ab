"""Evictions while sessions are written: a full Redis may accept each of them and drop others."""

from pawsctl.connection import Connection, Node, info_fields
from pawsctl.errors import LoginRefused, OperationFailed, RedisUnreachable
from pawsctl.plurals import plural


class Evictions:
    """The keys that all primaries have evicted since the beginning of an operation.

    Raises RedisUnreachable if no server answers: each further question would wait as long.
    """

    def __init__(self, connection: Connection) -> None:
        connection.connect()
        self._connection = connection
        self._before = self._total()

    def count(self) -> int | None:
        """Return how many keys were evicted so far; None if a primary does not tell.

        Nor does one whose counter began again, after a restart, a failover or CONFIG RESETSTAT.
        """
        now = self._total()
        if now is None or self._before is None or now < self._before:
            return None
        return now - self._before

    def told(self) -> int | None:
        """Return the same, and say so to the user if it is not known."""
        found = self.count()
        if found is None:
            self._connection.note(
                "Redis does not tell whether it evicted keys meanwhile; if its memory is limited, "
                "compare with 'pawsctl session stats'."
            )
        return found

    def _total(self) -> int | None:
        try:
            return sum(_evicted_by(node) for node in self._connection.primaries())
        except LoginRefused:
            raise
        except (OperationFailed, RedisUnreachable):
            return None


def evicted_text(evicted: int) -> str:
    """Return a clause on how many keys were evicted during an operation."""
    return f"Redis evicted {plural(evicted, 'key')} meanwhile"


def require_none(evicted: int | None, *, again: str, place: str = "") -> None:
    """Raise OperationFailed if keys were evicted; `again` says what to run once there is room.

    `place` is the option that names the Redis, if it is not the one of the command itself.
    """
    if evicted:
        raise OperationFailed(
            f"{evicted_text(evicted)}, and sessions may be missing.",
            hint=f"Raise its memory ('pawsctl {place}redis maxmemory') or free some, then {again}.",
        )


def _evicted_by(node: Node) -> int:
    told = info_fields(node.call("INFO", "stats")).get("evicted_keys", "")
    return int(told) if told.isdigit() else 0
