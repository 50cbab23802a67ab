"""The words of the minimal client for what it was not told."""

import errno
import os

from pawsctl.connection import probe


def test_a_reason_is_words_without_the_number_of_an_error() -> None:
    """It stands in sentences for people, also for a connection that was reset."""
    reset = ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))
    assert probe.reason(reset) == os.strerror(errno.ECONNRESET)
    assert probe.reason(ConnectionResetError()) == "the connection was closed"
    assert probe.reason(probe.Refused("NOAUTH log in")) == "NOAUTH log in"
