"""What the time for a reply counts, and what it does not."""

import time

from pawsctl.config.redis_url import parse
from pawsctl.connection import Timeouts, connect
from tests.servers import Server


def test_time_in_which_nothing_was_asked_is_no_wait_for_a_reply(server: Server) -> None:
    """Somebody thinks about a question, or polls once in a while."""
    timeouts = Timeouts(reply=2)
    with connect(parse(server.url, origin="the test"), timeouts) as connection:
        assert connection.call("PING") == b"PONG"
        time.sleep(2.1)
        assert connection.call("PING") == b"PONG"
