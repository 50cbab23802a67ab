"""Signals that arrive in the middle of a step."""

import signal
import sys
from collections.abc import Iterator
from contextlib import suppress

import pytest

from pawsctl.stack.engine.rollback import uninterrupted

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


def test_a_second_signal_comes_at_once() -> None:
    """It may be any signal: the step may hang."""
    done = []

    with pytest.raises(KeyboardInterrupt), uninterrupted():
        signal.raise_signal(signal.SIGTERM)
        done.append("first")
        signal.raise_signal(signal.SIGINT)
        done.append("second")

    assert done == ["first"]


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
