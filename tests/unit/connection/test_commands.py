"""Facts about commands: their keys, whether they may be retried, and how they are split."""

import subprocess
import sys

import pytest

from pawsctl.config.redis_url import parse
from pawsctl.connection.commands import (
    Command,
    is_many,
    is_read,
    joined,
    key_of,
    keys_changed_by,
    parts_of,
    scripted,
    ttls_of,
    types_of,
    without_numbers,
    writes_in,
)
from pawsctl.connection.last_words import LastWords
from pawsctl.connection.replies import ErrorReply
from pawsctl.connection.sockets.of_target import socket_of
from pawsctl.deadline import Deadline
from pawsctl.errors import OperationFailed


@pytest.mark.parametrize(
    ("command", "key"),
    [
        (("GET", b"k"), b"k"),
        (("get", "k"), b"k"),
        (("SETEX", b"k", 5, b"v"), b"k"),
        (("MEMORY", "USAGE", b"k"), b"k"),
        (("EVAL", "return 1", 1, b"k", b"a"), b"k"),
        (("EVAL", "return 1", 0, b"a"), None),
        (("GET",), None),
        (("MEMORY", "USAGE"), None),
        (("OBJECT", "FREQ", "k"), b"k"),
        (("EVALSHA", "ab", "1", "k"), b"k"),
        (("GET", 5), b"5"),
        (("GET", "\udcff"), b"\xff"),
        (("PING",), None),
        (("SCAN", b"0", "MATCH", b"k"), None),
        (("INFO", "memory"), None),
    ],
)
def test_the_key_of_a_command(command: Command, key: bytes | None) -> None:
    """It decides to which node of a cluster the command is sent."""
    assert key_of(command) == key


@pytest.mark.parametrize("command", [("FROBNICATE", b"k"), (b"xread", "STREAMS", b"k"), ("", b"k")])
def test_a_command_that_is_not_known_goes_nowhere(command: Command) -> None:
    """Its first argument may not be a key, and would select a wrong node."""
    with pytest.raises(OperationFailed, match="where in the command"):
        key_of(command)
    assert not is_read(command)


@pytest.mark.parametrize("name", ["SET", "SETEX", "DEL", "UNLINK", "EXPIRE", "RESTORE", "FLUSHALL"])
def test_what_writes_is_not_repeated(name: str) -> None:
    """The error names a command that may have run."""
    assert not is_read((name, b"k"))
    assert writes_in([("GET", b"k"), (name, b"k"), (name, b"j")]) == name


def test_what_only_looks_may_be_repeated() -> None:
    """This includes our scripts without keys."""
    for command in [("GET", b"k"), ("PTTL", b"k"), ttls_of([b"k"]), types_of([b"k"])]:
        assert is_read(command)


@pytest.mark.parametrize("count", [1, 3])
def test_commands_over_many_keys_have_parts(count: int) -> None:
    """There is one part for each key; the reply is made of the parts' replies."""
    keys = [b"%d" % number for number in range(count)]
    assert parts_of(("MGET", *keys)) == [(b"GET", key) for key in keys]
    assert joined(("MGET", *keys), [b"v"] * count) == [b"v"] * count
    assert parts_of(ttls_of(keys)) == [(b"PTTL", key) for key in keys]
    assert joined(ttls_of(keys), [5] * count) == [5] * count
    assert parts_of(types_of(keys)) == [(b"TYPE", key) for key in keys]


def test_a_script_stands_for_mget() -> None:
    """Its keys are no KEYS, so that they may be of any slots; it can be split as MGET can."""
    name, script, count, *keys = scripted(("mget", b"a", b"b"))
    assert (name, count, keys) == (b"EVAL", b"0", [b"a", b"b"])
    assert "'GET'" in str(script)
    assert parts_of(scripted(("MGET", b"a"))) == [(b"GET", b"a")]
    wrong = ErrorReply("WRONGTYPE", "a hash")
    assert joined(scripted(("MGET", b"a", b"b")), [b"v", wrong]) == [b"v", None]
    assert joined(types_of([b"a", b"b"]), [b"string", wrong]) is wrong
    assert scripted(("GET", b"a")) == ("GET", b"a")


@pytest.mark.parametrize(
    ("command", "keys"),
    [
        (("SET", b"k", b"v"), [b"k"]),
        (("UNLINK", b"a", b"b"), [b"a", b"b"]),
        (("GET", b"k"), []),
        (("WATCH", b"k"), []),
        (("FLUSHALL",), []),
        (("EVAL", "x", 2, b"a", b"b", b"v"), [b"a", b"b"]),
        (ttls_of([b"a"]), []),
    ],
)
def test_the_keys_that_a_command_may_change(command: Command, keys: list[bytes]) -> None:
    """They are in doubt if its reply is lost."""
    assert list(keys_changed_by(command)) == keys


def test_counts_of_parts_are_added_up() -> None:
    """A single server would return the same for all keys."""
    assert parts_of(("UNLINK", b"a", b"b")) == [(b"UNLINK", b"a"), (b"UNLINK", b"b")]
    assert joined(("UNLINK", b"a", b"b"), [1, 0]) == 1


def test_an_error_of_a_part_is_the_wholes() -> None:
    """But MGET treats a key of another type as missing."""
    refused = ErrorReply("NOPERM", "no")
    assert joined(("UNLINK", b"a", b"b"), [1, refused]) is refused
    wrong = ErrorReply("WRONGTYPE", "a hash")
    assert joined(("MGET", b"a", b"b"), [b"v", wrong]) == [b"v", None]


def test_a_key_that_is_forbidden_hides_no_other() -> None:
    """Its error takes its place in the reply; sums tell how many keys were refused."""
    forbidden = ErrorReply("NOPERM", "No permissions to access a key")
    assert joined(("MGET", b"a", b"b"), [b"v", forbidden]) == [b"v", forbidden]
    deleted = joined(("UNLINK", b"a", b"b", b"c"), [1, forbidden, 1])
    assert (deleted.done, deleted.refused) == (2, 1)


def test_a_command_over_one_key_is_its_own_part() -> None:
    """Its reply is unchanged."""
    for command in [("GET", b"k"), ("UNLINK", b"k"), ttls_of([])]:
        assert not is_many(command)
        assert joined(command, [7]) == 7


def test_no_number_is_left_to_hiredis() -> None:
    """A Ctrl-C while it writes one is a crash; commands without numbers are sent as they are."""
    command = ("SET", b"k", "ñ", "PXAT", 1_795_931_460_055, -1, 0)
    expected = ("SET", b"k", "ñ", "PXAT", b"1795931460055", b"-1", b"0")
    assert without_numbers(command) == expected
    assert without_numbers([b"GET", "k"]) == (b"GET", "k")
    keys = [b"a", b"b"]
    for many in (ttls_of(keys), types_of(keys), scripted(["MGET", *keys])):
        # They have many keys, through which nothing has to look.
        assert without_numbers(many) == tuple(many)
        assert is_read(many)
        assert len(parts_of(many)) == len(keys)


@pytest.mark.parametrize(("path", "number"), [("", 0), ("/0", 0), ("/7", "7")])
def test_the_number_of_the_database_is_sent_as_text(path: str, number: int | str) -> None:
    """redis-py itself sends it, with hiredis; for 0 it sends none."""
    target = parse(f"redis://127.0.0.1:6379{path}", origin="--url")
    seconds = (1.0, 1.0)
    found = socket_of(target, seconds, deadline=Deadline(1.0), words=LastWords())
    assert found.db == number


# Interrupts itself all the time while it makes the bytes of commands with numbers.
_PACKING = """
import signal, hiredis
from pawsctl.connection.commands import without_numbers

def interrupt(*_):
    raise KeyboardInterrupt

signal.signal(signal.SIGALRM, interrupt)
command = ("SET", b"k", b"v", *["PXAT", 1795931460055] * 1000)
count = 0
while count < 500:
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.0002)
        while True:
            hiredis.pack_command(without_numbers(command))
    except KeyboardInterrupt:
        count += 1
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such timer")
def test_an_interrupt_while_a_command_is_packed_is_no_crash() -> None:
    """A process that has crashed tells nothing of what it did."""
    done = subprocess.run([sys.executable, "-c", _PACKING], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
