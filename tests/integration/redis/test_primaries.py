"""A primary that is another one at the end of an operation is noticed."""

import itertools
from pathlib import Path

import pytest

from pawsctl.config.redis_url import parse
from pawsctl.connection import connect
from pawsctl.errors import OperationFailed
from pawsctl.sessions.edit import seed
from pawsctl.sessions.store.primaries import Primaries
from pawsctl.sessions.store.store import SessionStore
from tests import lying
from tests.servers import running, wait_until_ready


def test_a_server_that_begins_again_meanwhile_has_not_kept_all(tmp_path: Path) -> None:
    """Without a file of its data, it holds only what came after."""
    with running(tmp_path) as server:
        calls = []

        def restart(count: int) -> None:
            calls.append(count)
            if len(calls) == 1:
                server.process.kill()
                server.process.wait()
                server.restart()
                wait_until_ready(server, tmp_path / f"{server.port}.log")

        with SessionStore(connect(parse(server.url, origin="a test"))) as store:
            with pytest.raises(OperationFailed, match="a restart came in between") as failure:
                seed.seed(store, 1_200, number=1, progress=restart)
            assert "Before that, 1200 sessions were written." in failure.value.message
            assert server.client.dbsize() == 1_200 - calls[0]
            assert seed.seed(store, 1_200, number=1, progress=lambda _count: None).kept < 1_200


def test_a_proxy_that_asks_its_servers_by_turns_has_not_lost_one() -> None:
    """Each INFO is another server's, and the first one's comes again."""
    turns = itertools.cycle((b"a", b"b", b"c"))

    def answer(command: list[bytes]) -> bytes:
        if command[0] != b"INFO":
            return b"+PONG\r\n"
        return lying.bulk(b"run_id:%b\r\n" % next(turns))

    with (
        lying.answering(answer) as url,
        connect(parse(url, origin="a test")) as connection,
    ):
        primaries = Primaries(connection)
        for _ in range(3):
            assert primaries.replaced() == []
        turns = itertools.cycle((b"d",))
        assert primaries.replaced() == [url.removeprefix("redis://")]
