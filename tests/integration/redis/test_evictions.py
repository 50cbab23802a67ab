"""Evictions are counted on a real server that is full."""

import pytest

from pawsctl.config.redis_url import parse
from pawsctl.connection import connect
from pawsctl.errors import OperationFailed
from pawsctl.sessions.store.evictions import Evictions, require_none
from tests.servers import Server


def test_evictions_are_counted_until_the_counter_begins_again(any_server: Server) -> None:
    """Then nobody knows, and that is no number below zero."""
    client = any_server.client
    with connect(parse(any_server.url, origin="a test")) as connection:
        evictions = Evictions(connection)
        assert evictions.count() == 0
        client.mset({f"other:{number}": "x" * 1_000 for number in range(4_000)})
        client.config_set("maxmemory-policy", "allkeys-random")
        try:
            client.config_set("maxmemory", client.info("memory")["used_memory"] - 1_000_000)
            client.set("other", "x")
        finally:
            client.config_set("maxmemory", 0)
            client.config_set("maxmemory-policy", "noeviction")
        found = evictions.count()
        later = Evictions(connection)
        client.config_resetstat()
        assert later.count() is None
    assert found
    with pytest.raises(OperationFailed, match=r"evicted [\d,]+ keys meanwhile"):
        require_none(found, again="try again")
    require_none(None, again="try again")
