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


def test_what_is_large_may_take_long_to_send_and_gives_its_reply_more_time() -> None:
    """A second for every 64 KB to send it, and an eighth for every MB that the server works on."""
    deadline = Deadline(0.5)
    assert deadline.sending(10 * 65_536) == 10.5
    assert deadline.left() == 0.5
    assert deadline.sending(65_535) == 0.5
    deadline.sending(3 * 1024 * 1024)
    assert deadline.left() == 0.875
