"""Batches of commands for a cluster, which its servers may redirect."""

import pytest

from pawsctl.config.target import Address
from pawsctl.connection.cluster.redirects import Batch, gave_up
from pawsctl.connection.cluster.slots import SLOTS, slot_of
from pawsctl.connection.commands import Command
from pawsctl.connection.replies import ErrorReply
from pawsctl.errors import RedisUnreachable

A, B = Address("10.0.0.1", 7000), Address("10.0.0.2", 7001)
FOO = slot_of(b"foo")
COMMANDS: list[Command] = [("GET", b"foo"), ("PING",), ("GET", b"bar")]


def owners(**more: Address) -> list[Address | None]:
    """Return owners of all slots: A has them all, but for those of keys that are named."""
    found: list[Address | None] = [A] * SLOTS
    for key, address in more.items():
        found[slot_of(key.encode())] = address
    return found


def test_commands_go_to_the_owners_of_their_slots() -> None:
    """Those without a key to anyone; those that have nowhere to go must wait."""
    batch, owned = Batch(COMMANDS), owners(foo=B)
    assert batch.by_address(owned, A) == {B: [0], A: [1, 2]}
    assert batch.must_wait is False
    assert batch.commands_at([0, 2]) == [COMMANDS[0], COMMANDS[2]]
    waiting = []
    for owner, anyone, there in ((B, None, {B: [0], A: [2]}), (None, B, {B: [1], A: [2]})):
        owned[FOO] = owner
        assert batch.by_address(owned, anyone) == there
        waiting.append(batch.must_wait)
    assert waiting == [True, True]


def test_what_has_moved_is_asked_for_at_the_new_owner() -> None:
    """A command that was answered, also with another error, is done."""
    batch, owned = Batch(COMMANDS), owners()
    refused = ErrorReply("ERR", "no")
    batch.take([0, 1, 2], [ErrorReply("MOVED", f"{FOO} 10.0.0.2:7001"), b"PONG", refused], owned, A)
    assert (batch.todo, owned[FOO], batch.asking) == ([0], B, {})
    assert batch.by_address(owned, A) == {B: [0]}
    batch.take([0], [b"v"], owned, B)
    assert (batch.todo, batch.replies) == ([], [b"v", b"PONG", refused])


def test_what_is_moving_is_asked_for_once_at_the_other() -> None:
    """With ASKING before it, and the slot keeps its owner."""
    batch, owned = Batch(COMMANDS), owners()
    batch.take([0, 1, 2], [ErrorReply("ASK", f"{FOO} [fd00::2]:7001"), b"PONG", None], owned, A)
    there = Address("fd00::2", 7001)
    assert (batch.todo, owned[FOO], batch.asking) == ([0], A, {0: there})
    assert batch.by_address(owned, A) == {there: [0]}
    assert batch.wire([0, 1]) == [("ASKING",), ("GET", b"foo"), ("PING",)]
    batch.take([0], [b"OK", b"v"], owned, there)
    assert (batch.todo, batch.asking, batch.replies) == ([], {}, [b"v", b"PONG", None])


def test_where_asking_is_refused_that_is_the_reply() -> None:
    """The command after it was only redirected again."""
    batch, owned = Batch(COMMANDS[:1]), owners()
    batch.take([0], [ErrorReply("ASK", f"{FOO} h:1")], owned, A)
    refused = ErrorReply("ERR", "unknown command")
    batch.take([0], [refused, ErrorReply("MOVED", f"{FOO} h:1")], owned, A)
    assert (batch.todo, batch.replies) == ([], [refused])


@pytest.mark.parametrize(
    ("code", "text", "owner"),
    [
        ("MOVED", f"{FOO} h:1", Address("h", 1)),
        ("MOVED", f"{FOO} :1", Address("10.0.0.1", 1)),
        ("MOVED", f"{FOO} ?:1", Address("10.0.0.1", 1)),
        ("MOVED", f"{FOO} h:x", None),
        ("MOVED", "x h:1", None),
        ("MOVED", f"{SLOTS} h:1", None),
        ("MOVED", "", None),
        ("TRYAGAIN", f"{FOO} h:1", None),
        ("CLUSTERDOWN", "Hash slot not served", None),
    ],
)
def test_a_redirection_that_names_no_place_is_waited_for(
    code: str, text: str, owner: Address | None
) -> None:
    """The command is still to do."""
    batch, owned = Batch(COMMANDS[:1]), owners()
    batch.take([0], [ErrorReply(code, text)], owned, A)
    assert batch.todo == [0]
    assert owned[FOO] == (owner or A)
    assert batch.must_wait is (owner is None)


def test_the_last_slot_has_an_owner_too() -> None:
    """Slots are counted from 0."""
    batch, owned = Batch(COMMANDS[:1]), owners()
    batch.take([0], [ErrorReply("MOVED", f"{SLOTS - 1} h:1")], owned, A)
    assert owned[-1] == Address("h", 1)


def test_redirections_in_a_circle_come_to_an_end() -> None:
    """After four for each command, the next try waits."""
    batch, owned = Batch(COMMANDS[:1]), owners()
    for left in (4, 3, 2, 1, 0):
        assert not batch.must_wait
        batch.take([0], [ErrorReply("MOVED", f"{FOO} h:{left + 1}")], owned, A)
    assert batch.must_wait
    assert owned[FOO] == Address("h", 2)


def test_giving_up_names_the_slots_and_the_last_reply() -> None:
    """Or the trouble with a server, if there was one."""
    batch, owned = Batch(COMMANDS), owners()
    batch.take([1], [b"PONG"], owned, A)
    found = gave_up(batch, None, url="redis+cluster://h", seconds=1.5)
    slots = ", ".join(map(str, sorted((FOO, slot_of(b"bar")))))
    assert found.message == (
        f"The cluster at redis+cluster://h does not serve slot {slots}. Waited 1.5 s."
    )
    batch.take([0, 2], [ErrorReply("CLUSTERDOWN", "down"), b"v"], owned, A)
    found = gave_up(batch, None, url="redis+cluster://h", seconds=2)
    assert found.message == (
        f"The cluster at redis+cluster://h does not serve slot {FOO} (CLUSTERDOWN down). "
        "Waited 2 s."
    )
    trouble = RedisUnreachable("It is gone.", hint="Look.")
    assert gave_up(batch, trouble, url="", seconds=2).message == "It is gone. Waited 2 s."
