"""Idle connections that the server closes, as its `timeout` does."""

import pytest
import redis

from pawsctl.config.redis_url import parse
from pawsctl.connection import connect
from pawsctl.sessions.store.store import SessionStore
from tests.clusters import Cluster
from tests.servers import Server

KEYS = [f"wh:session:+{number}".encode() for number in range(30)]


@pytest.fixture(params=["one server", "cluster"])
def cut(request: pytest.FixtureRequest, any_server: Server, cluster: Cluster) -> "Cut":
    """A connection, and the servers that can close it."""
    if request.param == "one server":
        return Cut(any_server.url, [any_server.client])
    return Cut(cluster.url, [member.client for member in cluster.members])


class Cut:
    """A URL whose servers can close every connection except their own client's."""

    def __init__(self, url: str, clients: list[redis.Redis]) -> None:
        self.url = url
        self._clients = clients

    def __call__(self) -> None:
        """Close all of them."""
        for client in self._clients:
            client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")


def test_a_cut_connection_is_made_again(cut: Cut) -> None:
    """For single commands, writes included, and for passes, without a message."""
    said: list[str] = []
    with SessionStore(connect(parse(cut.url, origin="the test"), notice=said.append)) as store:
        for _ in range(2):
            for key in KEYS:
                assert store.connection.call("SET", key, "{}") == b"OK"
            cut()
            assert len(store.connection.primaries()) in (1, 3)
            assert {record.key for record in store.records()} == set(KEYS)
            cut()
            assert store.count() == {"string": len(KEYS)}
            cut()
            assert sum(sum(each.values()) for each in store.unlink()) == len(KEYS)
            cut()
    assert not [sentence for sentence in said if "Waiting" in sentence]
