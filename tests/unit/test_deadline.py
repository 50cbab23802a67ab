"""The time limit of a reply."""

import time

import pytest

from pawsctl.deadline import BYTES_A_SECOND, Deadline


def test_bytes_buy_time() -> None:
    """A second for every 64 KB beyond the initial time; a piece gets no more than that."""
    deadline = Deadline(0.5)
    assert 0 < deadline.left() <= 0.5
    deadline.received(BYTES_A_SECOND)
    time.sleep(0.55)
    assert 0 < deadline.left() <= 0.5


def test_a_few_bytes_buy_next_to_none() -> None:
    """A reply that drips ends when its time is over."""
    deadline = Deadline(0.5)
    deadline.left()
    time.sleep(0.55)
    deadline.received(10)
    with pytest.raises(TimeoutError):
        deadline.left()
    deadline.restart()
    assert deadline.left() > 0


def test_beyond_a_moment_nothing_is_waited_for() -> None:
    """The amount received does not matter."""
    deadline = Deadline(5, until=time.monotonic() + 0.5)
    assert deadline.left() <= 0.5
    deadline.received(BYTES_A_SECOND)
    time.sleep(0.55)
    with pytest.raises(TimeoutError):
        deadline.left()
