"""Keys that are changed in transactions: what another client writes meanwhile stays."""

from collections.abc import Sequence
from typing import Any

from pawsctl.config.redis_url import parse
from pawsctl.connection import ErrorReply, connect
from pawsctl.connection.transactions.change_if_same import Change, change_if_same
from tests.servers import Server


def test_what_is_written_between_the_look_and_the_change_stays(server: Server) -> None:
    """The other keys of the batch are changed all the same, and each result is its own key's."""
    keys = [b"wh:session:+%d" % number for number in range(50)]
    server.client.mset(dict.fromkeys(keys, "old"))
    server.client.lpush("list", "x")

    def is_same(replies: Sequence[Any]) -> bool:
        # Between WATCH and EXEC; each time anew, as a busy bot does.
        server.client.set(keys[7], "newer")
        return bool(replies == [b"old"])

    def always(_replies: Sequence[Any]) -> bool:
        server.client.set(keys[7], "newer")
        return True

    changes = [Change(key, (("GET", key),), is_same, (b"UNLINK", key)) for key in keys]
    changes[7] = changes[7]._replace(is_same=always)
    changes.append(Change(b"list", (("GET", "list"),), always, (b"UNLINK", b"list")))
    changes.append(Change(b"list", (("TYPE", "list"),), always, (b"INCR", b"list")))
    with connect(parse(server.url, origin="the test")) as connection:
        *found, wrong_type, refused = change_if_same(connection, changes)
        outcome = connection.ledger.outcome()
        assert connection.call("PING") == b"PONG"
    assert found == [None if key == keys[7] else 1 for key in keys]
    assert wrong_type is None
    assert isinstance(refused, ErrorReply)
    assert (outcome.done, list(outcome.unknown)) == (49, [])
    assert server.client.keys("wh:*") == [keys[7]]
    assert server.client.get(keys[7]) == b"newer"
