"""The words of the minimal client for what it was not told."""

import errno
import os

from pawsctl.connection import probe


def test_a_reason_is_words_without_the_number_of_an_error() -> None:
    """It stands in sentences for people; a server that hangs up has one name."""
    told = os.strerror(errno.EHOSTUNREACH)
    assert probe.reason(OSError(errno.EHOSTUNREACH, told)) == told
    reset = ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))
    for hung_up in (reset, ConnectionResetError(), BrokenPipeError(errno.EPIPE, "Broken pipe")):
        assert probe.reason(hung_up) == probe.HUNG_UP == "the connection was closed"
    assert probe.reason(probe.Refused("NOAUTH log in")) == "NOAUTH log in"
