"""Signals that arrive in the middle of a step."""

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from pawsctl import process_setup
from pawsctl.errors import Interrupted, TimedOut
from pawsctl.stack.engine.rollback import Undo, rollback, uninterrupted

SIGNALS = [signal.SIGINT, signal.SIGTERM]
if sys.platform != "win32":
    SIGNALS.append(signal.SIGHUP)


@pytest.fixture(autouse=True)
def as_interrupts() -> Iterator[None]:
    """Let all of them raise KeyboardInterrupt, as in a running pawsctl."""
    before = {number: signal.signal(number, signal.default_int_handler) for number in SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_waits_for_the_end_of_a_step(number: signal.Signals) -> None:
    """It is raised then."""
    done = []

    with pytest.raises(KeyboardInterrupt), uninterrupted():
        signal.raise_signal(number)
        done.append("step")

    assert done == ["step"]


def _wait_until_another_is_meant() -> None:
    """Wait until a signal no longer counts as one that repeats the last."""
    last = time.monotonic()
    while process_setup.is_repeat(last):
        time.sleep(0.05)


def test_a_second_signal_comes_at_once() -> None:
    """It may be any signal: the step may hang."""
    done = []

    with pytest.raises(KeyboardInterrupt), uninterrupted():
        signal.raise_signal(signal.SIGTERM)
        done.append("first")
        _wait_until_another_is_meant()
        signal.raise_signal(signal.SIGINT)
        done.append("second")

    assert done == ["first"]


def test_one_wish_to_end_that_comes_as_two_signals_waits_like_one() -> None:
    """A closed terminal's shell sends the hangup that the system has sent already."""
    done = []

    with pytest.raises(KeyboardInterrupt), uninterrupted():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)
        done.append("step")

    assert done == ["step"]


def test_a_signal_that_repeats_an_interruption_does_not_interrupt_again() -> None:
    """It would cut short what the first one has begun; one whose exception was lost comes again."""
    handler = process_setup.Interrupt()
    with pytest.raises(KeyboardInterrupt):
        handler(signal.SIGTERM, None)
    handler(signal.SIGINT, None)
    assert handler.number == signal.SIGTERM

    handler.take_again()
    with pytest.raises(KeyboardInterrupt):
        handler(signal.SIGINT, None)


def test_a_signal_during_the_undo_hides_neither_the_failure_nor_what_is_left() -> None:
    """The command ends anyway, as soon as the undo is done."""

    def leave(undo: Undo) -> None:
        signal.raise_signal(signal.SIGINT)
        undo.left.append("The data stays.")

    with pytest.raises(TimedOut) as found, rollback("") as undo:
        undo.callback(leave, undo)
        raise TimedOut("No answer.", hint="")

    assert found.value.message == "No answer. The data stays."


def test_a_further_signal_cuts_one_step_of_the_undo_short_and_that_is_told() -> None:
    """That step may hang; the others are done."""
    done = []

    def hang() -> None:
        signal.raise_signal(signal.SIGINT)
        _wait_until_another_is_meant()
        signal.raise_signal(signal.SIGINT)
        done.append("hung")

    with pytest.raises(Interrupted) as found, rollback("", lambda: "All stands.") as undo:
        undo.callback(done.append, "first")
        undo.callback(hang)
        undo.callback(done.append, "last")
        raise KeyboardInterrupt

    assert done == ["last", "first"]
    assert "Undoing it failed too: another Ctrl-C cut it short. All stands." in found.value.message
    assert found.value.hint == "'pawsctl redis up' puts in order what is left."


def test_a_signal_that_nobody_handles_is_left_to_the_system() -> None:
    """This covers ignored signals and those that end the process."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)

    with uninterrupted():
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN


def test_handlers_are_put_back() -> None:
    """This holds however the step ends."""
    with suppress(ValueError), uninterrupted():
        raise ValueError

    assert {signal.getsignal(number) for number in SIGNALS} == {signal.default_int_handler}
