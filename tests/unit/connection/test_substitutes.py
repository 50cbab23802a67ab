"""A command that a server refuses is sent in another way from then on."""

from collections.abc import Sequence
from typing import Any

import pytest

from pawsctl.connection import commands
from pawsctl.connection.commands import Command
from pawsctl.connection.replies import ErrorReply, Misread, PartlyRefused
from pawsctl.connection.substitutes import Substitutes

UNKNOWN = ErrorReply("ERR", "unknown command")
NO_KEY = ErrorReply("NOPERM", "No permissions to access a key")
NO_COMMAND = ErrorReply("NOPERM", "this user has no permissions to run it")


class Old:
    """A server that refuses some commands, and answers others with what a table has for them."""

    def __init__(self, refused: dict[str, ErrorReply], answers: dict[str, Any]) -> None:
        self._refused, self._answers = refused, answers
        self.sent: list[str] = []

    def __call__(self, wire: Sequence[Command]) -> list[Any]:
        """Answer commands."""
        return [self._answer(command) for command in wire]

    def _answer(self, command: Command) -> Any:
        name = commands.name_of(command).decode()
        many = "s" if commands.is_many(command) else ""
        self.sent.append(name + many)
        return self._refused.get(name + many, self._refused.get(name, self._answers.get(name)))


@pytest.mark.parametrize(
    ("refused", "command", "answers", "reply", "sent"),
    [
        ({}, ("UNLINK", b"k"), {"UNLINK": 1}, 1, ("UNLINK", "UNLINK")),
        ({"UNLINK": UNKNOWN}, ("UNLINK", b"k"), {"DEL": 1}, 1, ("UNLINK DEL", "DEL")),
        ({"PTTL": UNKNOWN}, ("PTTL", b"k"), {"TTL": 7}, 7000, ("PTTL TTL", "TTL")),
        ({"PTTL": UNKNOWN}, ("PTTL", b"k"), {"TTL": 1}, 1000, ("PTTL TTL", "TTL")),
        ({"PTTL": UNKNOWN}, ("PTTL", b"k"), {"TTL": -1}, -1, ("PTTL TTL", "TTL")),
        (
            {"EVAL": NO_COMMAND, "PTTL": UNKNOWN}, commands.ttls_of([b"a", b"b"]), {"TTL": 7},
            [7000, 7000], ("EVALs PTTL PTTL TTL TTL", "TTL TTL"),
        ),
        ({"DELs": NO_KEY}, ("DEL", b"a", b"b"), {"DEL": 1}, 2, ("DELs DEL DEL", "DEL DEL")),
        (
            {"MGETs": NO_KEY}, ("MGET", b"a", b"b"), {"GET": b"v"}, [b"v", b"v"],
            ("MGETs GET GET", "GET GET"),
        ),
        # For what is about the key there is no substitute.
        ({"UNLINK": NO_KEY}, ("UNLINK", b"k"), {"DEL": 1}, NO_KEY, ("UNLINK", "UNLINK")),
        ({"GET": UNKNOWN}, ("GET", b"k"), {}, UNKNOWN, ("GET", "GET")),
    ],
)  # fmt: skip
def test_the_substitute_is_sent_at_once_and_from_then_on(
    refused: dict[str, ErrorReply],
    command: Command,
    answers: dict[str, Any],
    reply: Any,
    sent: tuple[str, str],
) -> None:
    """Its reply is the command's; what was refused is not tried again."""
    substitutes, server = Substitutes(), Old(refused, answers)
    assert substitutes.asked([command, ("PING",)], server) == [reply, None]
    assert " ".join(each for each in server.sent if each != "PING") == sent[0]
    server.sent.clear()
    assert substitutes.asked([command, ("PING",)], server) == [reply, None]
    assert " ".join(server.sent) == f"{sent[1]} PING"


@pytest.mark.parametrize(
    ("command", "reply", "is_refusal"),
    [
        (("UNLINK", b"k"), UNKNOWN, True),
        (("UNLINK", b"k"), 1, False),
        (("UNLINK", b"a", b"b"), PartlyRefused(NO_KEY, 1, 1), False),
        (("UNLINK", b"k"), ErrorReply("MOVED", "1 h:1"), False),
        (("UNLINK", b"k"), ErrorReply("OOM", "no room"), False),
        (("UNLINK", b"k"), ErrorReply("ERR", "upstream failure"), False),
        (("PTTL", b"k"), ErrorReply("ERR", "upstream failure"), False),
        # A write that may have been done is not repeated, a read is.
        (("UNLINK", b"k"), ErrorReply("ERR", "oops"), False),
        (("PTTL", b"k"), ErrorReply("ERR", "oops"), True),
        (("UNLINK", b"k"), Misread("UNLINK", b"x", "0"), False),
        (("PTTL", b"k"), Misread("PTTL", b"x", "0"), True),
        (("EVAL", "anything", 0), UNKNOWN, False),
        (("DEL", b"a", b"b"), NO_KEY, True),
        (("DEL", b"a"), NO_KEY, False),
    ],
)
def test_a_refusal_is_about_the_command(command: Command, reply: Any, is_refusal: bool) -> None:
    """Only then there is something else to try; a script that is refused needs no keys for that."""
    substitutes = Substitutes()
    assert substitutes.refuses(command, reply) is is_refusal
    learns = is_refusal or command[0] == "EVAL"
    wires = substitutes.wires([command, commands.ttls_of([b"a", b"b"])])
    assert (wires[0] != [command]) is is_refusal
    assert (wires != [[command], [commands.ttls_of([b"a", b"b"])]]) is learns


def test_scripts_can_be_avoided_from_the_start() -> None:
    """Of one key, too, since the script itself is what may not be sent."""
    substitutes = Substitutes()
    substitutes.avoid_scripts()
    assert substitutes.wire(commands.types_of([b"a", b"b"])) == [(b"TYPE", b"a"), (b"TYPE", b"b")]
    assert substitutes.wire(commands.types_of([b"a"])) == [(b"TYPE", b"a")]
    assert substitutes.wire(("DEL", b"a", b"b")) == [("DEL", b"a", b"b")]
    substitutes.give_up(b"UNLINK")
    assert substitutes.wire(("UNLINK", b"a", b"b")) == [(b"DEL", b"a", b"b")]
