"""Which waits count towards the reply timeout."""

import time

from pawsctl.config.redis_url import parse
from pawsctl.connection import Timeouts, connect
from tests.servers import Server


def test_time_in_which_nothing_was_asked_is_no_wait_for_a_reply(server: Server) -> None:
    """A user may think about a question, or a command may poll now and then."""
    timeouts = Timeouts(reply=2)
    with connect(parse(server.url, origin="the test"), timeouts) as connection:
        assert connection.call("PING") == b"PONG"
        time.sleep(2.1)
        assert connection.call("PING") == b"PONG"
