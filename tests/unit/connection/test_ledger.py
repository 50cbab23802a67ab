"""The ledger of writes: what was done, what was not, and what nobody knows."""

import sys
from typing import Any

import pytest

from pawsctl.connection.commands import Command, Queued, as_bytes
from pawsctl.connection.ledger import Account, Ledger, Outcome
from pawsctl.connection.replies import ErrorReply, Misread
from tests.instructions import Interrupt, raise_interrupt

# The code that settles.
_FILES = ("/connection/ledger.py", "/connection/commands.py")
SET, DEL = ("SET", b"k", b"v"), ("DEL", b"a", b"b", b"c")
REFUSED, LOST = ErrorReply("NOPERM", "no"), ErrorReply("ERR", "upstream failure")


@pytest.mark.parametrize(
    ("command", "reply", "outcome"),
    [
        (SET, b"OK", Outcome(1, 0, [])),
        (SET, None, Outcome(0, 1, [])),
        (DEL, 2, Outcome(2, 1, [])),
        (DEL, 0, Outcome(0, 3, [])),
        (("EXPIRE", b"k", 5), 0, Outcome(0, 1, [])),
        (SET, REFUSED, Outcome(0, 0, [])),
        (SET, LOST, Outcome(0, 0, [b"k"])),
        (SET, Misread("SET", 7, "OK"), Outcome(0, 0, [b"k"])),
        (DEL, Misread("DEL", b"x", "0"), Outcome(0, 0, [b"a", b"b", b"c"])),
        (("GET", b"k"), b"v", Outcome(0, 0, [])),
        (("GET", b"k"), LOST, Outcome(0, 0, [])),
        (Queued(SET), b"QUEUED", Outcome(0, 0, [b"k"])),
        (Queued(SET), b"OK", Outcome(1, 0, [])),
        (SET, b"QUEUED", Outcome(1, 0, [])),
        (Queued(SET), REFUSED, Outcome(0, 0, [])),
    ],
)
def test_a_reply_settles_what_was_sent(command: Command, reply: Any, outcome: Outcome) -> None:
    """A reply of another shape, or of something in between, settles nothing; no reply neither."""
    ledger = Ledger()
    ledger.settle(command, reply)
    assert ledger.outcome() == Outcome(0, 0, [])
    ledger.enter([command])
    keys = () if command[0] == "GET" else command[1:] if command is DEL else command[1:2]
    unanswered = list(map(as_bytes, keys))
    assert ledger.outcome() == Outcome(0, 0, unanswered)
    ledger.settle(command, reply)
    assert ledger.outcome() == outcome
    ledger.begin()
    assert ledger.outcome() == Outcome(0, 0, [])


def test_what_a_later_command_or_a_look_has_decided_is_known() -> None:
    """Only after something was lost, since before that nothing is in doubt."""
    ledger = Ledger()
    first, again = ("SET", b"k", b"1"), ("SET", b"k", b"2")
    ledger.enter([first, DEL])
    ledger.enter([again])
    ledger.settle(again, b"OK")
    assert ledger.outcome() == Outcome(1, 0, [b"k", b"a", b"b", b"c"])
    ledger.begin()
    ledger.enter([first, DEL])
    ledger.lose()
    ledger.enter([again])
    ledger.settle(again, b"OK")
    ledger.resolve(b"b")
    assert ledger.outcome() == Outcome(1, 0, [b"a", b"c"])
    ledger.begin()
    ledger.enter([first, DEL])
    ledger.enter([again])
    ledger.settle(again, b"OK")
    assert ledger.outcome() == Outcome(1, 0, [b"k", b"a", b"b", b"c"])


def test_what_is_tried_aside_is_in_no_outcome() -> None:
    """Neither what it did nor what is still unanswered; all that came before stays."""
    ledger = Ledger()
    waiting = ("SET", b"w", b"v")
    ledger.enter([SET, DEL, waiting])
    ledger.settle(SET, b"OK")
    ledger.settle(DEL, 1)
    before = ledger.outcome()
    with pytest.raises(KeyboardInterrupt), ledger.aside():
        tried, lost = ("SET", b"t", b"v"), ("UNLINK", b"l")
        ledger.enter([tried, lost])
        ledger.settle(tried, b"OK")
        ledger.resolve(b"w")
        raise KeyboardInterrupt
    assert ledger.outcome() == before == Outcome(2, 2, [b"w"])
    ledger.settle(waiting, b"OK")
    assert ledger.outcome() == Outcome(3, 2, [])


def test_an_outcome_is_in_words_until_the_next_operation_begins() -> None:
    """Also after the operation has ended, so that a Ctrl-C just then can say what was done."""
    ledger = Ledger()
    assert ledger.account() is None
    ledger.begin(lambda outcome: Account(f"{outcome.done} were set", {"set": outcome.done}))
    ledger.enter([SET])
    ledger.settle(SET, b"OK")
    assert ledger.account() == Account("1 were set", {"set": 1})
    ledger.begin()
    assert ledger.account() is None


def test_an_interruption_counts_no_key_twice() -> None:
    """Wherever it comes while a reply is recorded: a key is unknown, or the reply is counted."""
    outcomes, has_come = list[Outcome](), True
    while has_come:
        ledger = Ledger()
        ledger.enter([DEL])
        interrupt = Interrupt(len(outcomes) + 1, _FILES, raise_interrupt, looking=True)
        tracer = sys.gettrace()
        sys.settrace(interrupt)
        try:
            ledger.settle(DEL, 1)
        except KeyboardInterrupt:
            pass
        finally:
            sys.settrace(tracer)
        outcomes.append(ledger.outcome())
        has_come = interrupt.has_come
    *interrupted, done = outcomes
    assert done == Outcome(1, 2, [])
    assert len(interrupted) > 5
    assert all(each in (done, Outcome(0, 0, list(DEL[1:]))) for each in interrupted)
