"""Count the keys that an ACL would keep a user from deleting, without deleting any of them."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from pawsctl.connection import Command, Connection, ErrorReply, beside
from pawsctl.connection.scan import all_servers, one_server
from pawsctl.connection.transactions.rehearse import refusals


class Rehearsal(NamedTuple):
    """The number of keys, how many of them Redis would refuse to delete, and its first refusal."""

    total: int = 0
    refused: int = 0
    first: ErrorReply | None = None


def of_commands(connection: Connection, commands: Sequence[Command]) -> list[ErrorReply] | None:
    """Return the refusals of those commands, each on one key, that Redis would refuse.

    None if it does not tell. Nothing is done.
    """
    wires = connection.substitutes.wires(commands)
    return refusals(connection, [each for wire in wires for each in wire])


def of_names(connection: Connection, names: Sequence[bytes]) -> Rehearsal | None:
    """Return what Redis says of the deletion of these keys; None if it does not tell."""
    return _summed(_of_batches(connection, one_server.slices(names, one_server.WRITTEN)))


def of_search(connection: Connection, search: one_server.Search) -> Rehearsal | None:
    """Return the same for all keys that a pass finds, also those that this user may not read.

    However many they are, only a batch of them is held. Raises as a pass does.
    """
    with beside(connection) as other:
        other.connect()
        return _summed(_of_batches(other, _found(connection, search)))


def may_delete_all(connection: Connection, search: one_server.Search) -> bool:
    """Return whether this user may delete all keys that a pass finds; ends at the first refusal."""
    with beside(connection) as other:
        other.connect()
        found = _of_batches(other, _found(connection, search))
        return all(each is not None and not each.refused for each in found)


def _found(connection: Connection, search: one_server.Search) -> Iterator[list[bytes]]:
    for names, _ in all_servers.batches(connection, search, lambda _names: []):
        yield names


def _of_batches(
    connection: Connection, batches: Iterable[Sequence[bytes]]
) -> Iterator[Rehearsal | None]:
    for names in batches:
        found = of_commands(connection, [(b"UNLINK", name) for name in names])
        if found is None:
            yield None
        else:
            yield Rehearsal(len(names), len(found), found[0] if found else None)


def _summed(rehearsals: Iterable[Rehearsal | None]) -> Rehearsal | None:
    total = Rehearsal()
    for each in rehearsals:
        if each is None:
            return None
        total = Rehearsal(
            total.total + each.total, total.refused + each.refused, total.first or each.first
        )
    return total
