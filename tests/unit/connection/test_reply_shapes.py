"""Replies are passed on if they have the shape of their command's, and as a Misread if not."""

from collections.abc import Sequence
from typing import Any

import pytest

from pawsctl.connection import commands, reply_shapes
from pawsctl.connection.commands import Command, Queued
from pawsctl.connection.replies import ErrorReply, Misread, refused

MYSELF = b"aa 127.0.0.1:7001@17001 myself,master - 0 0 5 connected 0-5\n"
NOT_MYSELF = b"aa 127.0.0.1:7001@17001 master - 0 0 5 connected 0-5\n"
REPLICA = [b"slave", b"h", 6379, b"connected", 5]
PLACE = [b"ip", b"10.0.0.1", b"port", b"6379"]
VALUES = commands.scripted(("MGET", b"a", b"b"))

# A command, replies that it may have, and replies that it can't have.
SHAPES: list[tuple[Command, Sequence[Any], Sequence[Any]]] = [
    (("PTTL", b"k"), [-2, -1, 0, 5], [-3, b"5", None, True]),
    (("EXPIRE", b"k", 5), [0, 1], [-1, 2, b"1", None]),
    (("DEL", b"a", b"b"), [0, 1, 2], [-1, 3, b"1", None]),
    (("DBSIZE",), [0, 7], [-1, b"7", None]),
    (("GET", b"k"), [None, b"v", b"{}"], [7, [b"v"]]),
    (("MGET", b"a", b"b"), [[b"v", None]], [[b"v"], [b"v"] * 3, [b"v", 7], b"v", None]),
    (("INFO",), [b"# Server"], [None, 7, [b"# Server"]]),
    (("TYPE", b"k"), [b"string", b"ReJSON-RL"], [b"", b"1", 7, None]),
    (("SETEX", b"k", 5, b"v"), [b"OK"], [None, b"ok", 1]),
    (("EXEC",), [None, [], [b"OK"]], [b"OK", 1]),
    (("SET", b"k", b"v"), [b"OK"], [None, b"QUEUED", 1]),
    (("SET", b"k", b"v", "NX"), [b"OK", None], [b"QUEUED", 1]),
    (("PING",), [b"PONG"], [b"PING", b"", None]),
    (("PING", b"word"), [b"word"], [b"PONG", b"PING"]),
    (
        ("SCAN", b"0"),
        [[b"0", []], [7, [b"k", b"j"]]],
        [[b"x", []], [b"0", [7]], [b"0", b"k"], [b"0", [], []], [b"0"], b"0", None, [None, []]],
    ),
    (("TIME",), [[b"1", b"2"], [1, 2]], [[b"1"], [b"1", b"x"], [b"x", b"1"], b"1", [1, 2, 3]]),
    (
        ("ROLE",),
        [[b"master", 1, []], [b"master"], REPLICA, REPLICA[:4], [b"sentinel", [b"m"]]],
        [REPLICA[:3], [b"slave", b"h", 1, 2], [b"sentinel"], [b"sentinel", [1]],
         [b"sentinel", b"m"], [], [1], b"master", None],
    ),
    (commands.ttls_of([b"a", b"b"]), [[-2, 9]], [[-3, 9], [9], [9, b"9"], 9, None]),
    (commands.ttls_of([]), [[]], [[9], None]),
    (commands.types_of([b"a", b"b"]), [[b"string", b"none"]], [[b"string", b"1"], [b"a"], None]),
    (VALUES, [[b"v", None]], [[b"v"], [b"v", 1], [b"v"] * 3, None]),
    (("EVAL", "anything", 0), [1, b"x", None, [1]], []),
    (("EVAL", "anything", 1, b"k"), [None, 1, b"OK"], [b"x", [1]]),
    (("MEMORY", "usage", b"k"), [None, 0, 50], [-1, b"50", [50]]),
    (("MEMORY", "DOCTOR"), [b"fine", -1], []),
    (("CONFIG", "GET", "a"), [[], [b"a", b"1"]], [[b"a"], [b"a", 1], b"OK", None]),
    (("CONFIG", "set", "a", "1"), [b"OK"], [[b"a", b"1"], None, 1]),
    (("CLUSTER", "GETKEYSINSLOT", 1, 10), [[], [b"k"]], [[1], b"k", None]),
    (("CLUSTER", "nodes"), [MYSELF], [NOT_MYSELF, b"", b"x", None, 7, [MYSELF]]),
    (("CLUSTER", "SLOTS"), [[], [[0, 5, [b"h", 7001]]]], [[[0]], [b"x"], 7, None, b"", {}]),
    (("CLUSTER", "INFO"), [b"cluster_state:ok"], []),
    (
        ("SENTINEL", "get-master-addr-by-name", "m"),
        [None, [b"10.0.0.1", b"6379"], [b"h", b"65535"]],
        [[b"h"], [b"h", b"x"], [b"h", 6379], [7, b"6379"], [b"h", b"65536"], b"h"],
    ),
    (("SENTINEL", "MASTERS"), [[], [[b"name", b"m"]]], [[[b"ip", b"h"]], [[b"name"]], None, [1]]),
    (
        ("SENTINEL", "REPLICAS", "m"),
        [[[*PLACE, b"flags", b"slave"]], []],
        [[PLACE], [[b"ip", b"h", b"port", b"x", b"flags", b"slave"]], b"x"],
    ),
    (("SENTINEL", "SLAVES", "m"), [[[*PLACE, b"flags", b"slave"]]], [[PLACE]]),
    (("SENTINEL", "SENTINELS", "m"), [[PLACE], []], [[[b"ip", b"h"]], [[*PLACE, b"x"]], None]),
    (("SENTINEL", "CKQUORUM", "m"), [b"OK 3", 7], []),
    (("FROBNICATE",), [b"x", 7, None, [b"x"]], []),
    (Queued(("GET", b"k")), [b"QUEUED"], [b"v", None, 1]),
]  # fmt: skip


@pytest.mark.parametrize(("command", "fitting", "others"), SHAPES, ids=lambda each: str(each)[:30])
def test_a_reply_fits_its_command_or_is_none(
    command: Command, fitting: Sequence[Any], others: Sequence[Any]
) -> None:
    """Nobody sees a reply of another shape; errors are passed on."""
    for reply in (*fitting, ErrorReply("ERR", "no")):
        assert reply_shapes.read(command, reply, came_otherwise=lambda _: False) is reply
    for reply in others:
        found = reply_shapes.read(command, reply, came_otherwise=lambda _: False)
        assert isinstance(found, Misread), reply


@pytest.mark.parametrize(
    ("command", "reply", "is_asked"),
    [
        (("GET", b"k"), b'{"a":1}', False),
        (("GET", b"k"), b"{", True),
        (("GET", b"k"), b"}", True),
        (("GET", b"k"), b"{}x", True),
        (("GET", b"k"), b"x{}", True),
        (("GET", b"k"), None, False),
        (("INFO",), b"x", False),
    ],
)
def test_only_an_odd_value_is_looked_at_as_it_came(
    command: Command, reply: bytes | None, is_asked: bool
) -> None:
    """A whole JSON object is what it is."""
    asked: list[bytes] = []

    def came_otherwise(value: bytes) -> bool:
        asked.append(value)
        return True

    found = reply_shapes.read(command, reply, came_otherwise=came_otherwise)
    assert asked == [reply] * is_asked
    assert isinstance(found, Misread) is is_asked


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("GET", b"k"), "GET"),
        (("CONFIG", "GET", "a"), "CONFIG GET"),
        (("info", b"memory"), "info memory"),
        (("INFO",), "INFO"),
    ],
)
def test_a_command_is_named_with_its_subcommand(command: Command, words: str) -> None:
    """Without its arguments, which may be a phone."""
    found = reply_shapes.read(command, 3.5, came_otherwise=lambda _: False)
    assert reply_shapes.words_of(command) == words
    assert not isinstance(found, Misread) or str(found).startswith(f"{words} was answered with 3.5")


@pytest.mark.parametrize("text", ["unknown command 'SCAN'", "Unknown command `scan`, with args"])
def test_what_a_server_does_not_know_is_in_no_log(text: str) -> None:
    """Redis logs nothing of it."""
    assert "log" not in refused(ErrorReply("ERR", text)).hint
    assert "log" in refused(ErrorReply("ERR", "something else")).hint
