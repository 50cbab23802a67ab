"""Ctrl-C, SIGTERM and a closed terminal between any two steps of a command on the stack.

What it says is so, and the next `up` goes on with all sessions that it did not delete.
"""

import itertools
import signal
from pathlib import Path

import pytest

from tests import stepwise
from tests.embedded_servers import servers_below
from tests.processes import wait_until
from tests.stack_fixtures import Stack

KEYS = 3
# How many steps of a command are interrupted; never the first, at which it opens its lock.
STEPS = 5
# The beginning of what a command prints in the end.
RESULTS = ("Redis answers", "removed process", "stopped ")
SIGNALS = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}

CHANGED = {"REDIS_MAXMEMORY": "64mb"}


@pytest.fixture(scope="module", autouse=True)
def loaded() -> None:
    """Import everything, so that commands in forks import nothing."""
    stepwise.load()


def _begin(stack: Stack) -> None:
    """Have Redis run with the default settings and all keys, which a reset may have exported."""
    assert stack("redis", "up").status == 0
    with stack.client() as client:
        client.mset({f"wh:session:+{number}": "{}" for number in range(KEYS)})


def _count(stack: Stack) -> int:
    """Return the number of keys as soon as Redis answers."""
    with stack.client() as client:
        wait_until(client.ping, "Redis answers")
        return int(client.dbsize())


def _data(stack: Stack) -> Path:
    return stack.folder / "state/pawsctl" / stack.project / "embedded/data"


def _limit(stack: Stack) -> int:
    """Return the memory limit that Redis was started with, in bytes."""
    with stack.client() as client:
        return int(client.info("memory")["maxmemory"])


def _is_so(stack: Stack, said: str) -> None:
    """Assert what the command says of how it left Redis."""
    if "Not deleted" in said:
        assert str(_data(stack)) in said
        assert _data(stack).exists()
        assert "The same command again deletes it, too." in said
    elif "The data is deleted." in said:
        assert not _data(stack).exists()
    elif "before anything was" in said or "is undone" in said:
        assert _count(stack) == KEYS
        assert _limit(stack) == 256 << 20
    else:
        assert "what was stopped stays stopped" in said or "when all was done" in said, said


@pytest.mark.slow(15)
@pytest.mark.parametrize(
    "command", ["up", "up, changed", "restart", "stop", "down --volumes --yes", "reset --yes"]
)
def test_an_interruption_at_any_step_is_told_as_it_is(embedded_stack: Stack, command: str) -> None:
    """No traceback, no half-made server, and no session lost."""
    stack = embedded_stack
    environment = dict(stack.environment)
    words = ("redis", *command.partition(",")[0].split())
    changed = CHANGED if command == "up, changed" else {}

    def begin() -> None:
        stack.environment = dict(environment)
        if command == "up":
            assert stack("redis", "down", "--volumes", "--yes").status == 0
        else:
            _begin(stack)
        stack.environment |= changed

    begin()
    count = sum(1 for _ in stepwise.looks(stack, words, lambda: None))
    assert count > STEPS
    numbers = [1 + each * (count - 1) // STEPS for each in range(STEPS)]
    for number, (sent, status) in zip(numbers, itertools.cycle(SIGNALS.items()), strict=False):
        begin()
        ended, said = stepwise.interrupt_at(number, stack, words, sent)

        where = f"step {number} of {count}: {said}"
        assert ended == status, where
        assert "raceback" not in said, where
        assert "ignored" not in said, where
        if "error: Interrupted" not in said:
            assert any(each in said for each in RESULTS), where
        elif command == "up" and "when all was done" not in said:
            assert servers_below(stack.folder / "state") == [], where
            assert not _data(stack).exists(), where
        else:
            _is_so(stack, said)
        assert stack("redis", "up").status == 0, where
        if command.startswith(("up,", "restart", "stop")):
            assert _count(stack) == KEYS, where
