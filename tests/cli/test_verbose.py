"""`-v`, which tells what is done, and when."""

import re

from tests.cli_runner import Pawsctl
from tests.servers import Server, store_session


def test_verbose_tells_each_batch_with_its_node_and_time(pawsctl: Pawsctl, server: Server) -> None:
    """They go to stderr, with the names of commands and without their arguments."""
    store_session(server, "+1", b"{}")
    result = pawsctl("session", "list", "-v", "--json")
    assert len(result.json) == 1
    batch = rf"^ +\d+\.\d{{3}} s  127\.0\.0\.1:{server.port}: 1 SCAN.*, \d+\.\d ms$"
    assert re.search(batch, result.err, re.MULTILINE), result.err
    assert "wh:session" not in result.err
