"""SCAN passes over many keys, on real servers."""

from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest

from pawsctl.config.redis_url import parse
from pawsctl.connection import connect
from pawsctl.connection.scan import one_server
from pawsctl.errors import RedisUnreachable
from pawsctl.sessions.store.store import SessionStore
from tests import between
from tests.servers import Server, running, store_many, wait_until_ready

SESSIONS = 3_000


def filled(server: Server) -> SessionStore:
    """A store of some thousand sessions, with a hash among them."""
    pipe = server.client.pipeline(transaction=False)
    for number in range(SESSIONS):
        pipe.set(f"wh:session:+{number}", b"{}", ex=60)
    pipe.hset("wh:session:+h", mapping={"a": "b"})
    pipe.set("other", 1)
    pipe.execute()
    return SessionStore(connect(parse(server.url, origin="the test")))


def test_a_pass_that_is_left_early_disturbs_no_later_command(any_server: Server) -> None:
    """Its pending replies are discarded."""
    with filled(any_server) as store:
        for _ in range(3):
            assert next(store.records()).value == b"{}"
            assert store.count() == {"string": SESSIONS, "hash": 1}


def test_keys_are_counted_and_deleted_by_users_who_may_run_no_script(any_server: Server) -> None:
    """Without EVAL the result is the same, only slower."""
    filled(any_server)
    any_server.client.execute_command(
        "ACL", "SETUSER", "plain", "on", ">x", "~*", "+@all", "-@scripting"
    )
    try:
        url = f"redis://plain:x@127.0.0.1:{any_server.port}"
        with SessionStore(connect(parse(url, origin="the test"))) as store:
            assert store.count() == {"string": SESSIONS, "hash": 1}
            assert sum(1 for _ in store.records()) == SESSIONS + 1
            assert sum(map(Counter, store.unlink()), Counter()) == {"string": SESSIONS, "hash": 1}
    finally:
        any_server.client.execute_command("ACL", "DELUSER", "plain")
    assert any_server.client.keys() == [b"other"]


def test_sessions_of_a_server_before_6_are_deleted_too(any_server: Server) -> None:
    """Its SCAN has no TYPE, so the type of every key is asked for."""
    filled(any_server).connection.close()
    with (
        between.standing(any_server, refuses=between.before_6_0) as url,
        SessionStore(connect(parse(url, origin="the test"))) as store,
    ):
        deleted = sum(map(Counter, store.unlink()), Counter())
    assert deleted == {"string": SESSIONS, "hash": 1}
    assert any_server.client.keys() == [b"other"]


@pytest.mark.parametrize(("others", "steps"), [(0, 45), (50_000, 200)])
def test_few_values_are_asked_for_at_a_time(
    any_server: Server, monkeypatch: pytest.MonkeyPatch, others: int, steps: int
) -> None:
    """Among many other keys, a step looks at more of them than that, and takes not as many."""
    filled(any_server).connection.close()
    # However busy this machine is, its server is not far away.
    monkeypatch.setattr(one_server, "_NEAR", 60)
    pipeline = any_server.client.pipeline(transaction=False)
    for number in range(others):
        pipeline.set(f"other:{number}", "x")
    pipeline.execute()
    any_server.client.config_resetstat()
    with SessionStore(connect(parse(any_server.url, origin="the test"))) as store:
        sizes = [len(found.keys) for found in store.columns() if not found.types]
    assert sum(sizes) == SESSIONS
    assert max(sizes) <= 75
    calls = {name: told["calls"] for name, told in any_server.client.info("commandstats").items()}
    assert steps < calls["cmdstat_scan"] <= (SESSIONS + others) / (150 if others else 40)
    assert calls["cmdstat_mget"] >= len(sizes)


def test_on_a_long_way_more_is_asked_for_at_a_time(any_server: Server) -> None:
    """Else a pass would spend most of its time on 60 round trips."""
    filled(any_server).connection.close()
    any_server.client.config_resetstat()
    with (
        between.standing(any_server, seconds=0.01) as url,
        SessionStore(connect(parse(url, origin="the test"))) as store,
    ):
        assert sum(1 for _ in store.records()) == SESSIONS + 1
    assert any_server.client.info("commandstats")["cmdstat_mget"]["calls"] < 12


def test_no_key_is_missed_if_the_server_is_restarted_while_a_batch_is_looked_at(
    tmp_path: Path,
) -> None:
    """Cursors of its last run mean nothing to it. A pass is whole, or says that it is not.

    Of large values, portions are asked for one by one: nothing is under way between two of them.
    """
    with running(tmp_path, "--save", "3600 100000") as server:
        store_many(server.client, [b"wh:session:+%d" % each for each in range(900)], b"x" * 16_000)
        whole = 0
        for number in range(4):
            with SessionStore(connect(parse(server.url, origin="the test"))) as store:
                found: list[bytes] = []
                with suppress(RedisUnreachable):
                    for index, columns in enumerate(store.columns()):
                        found += columns.keys
                        if index == number:
                            # It saves its keys first.
                            server.process.terminate()
                            server.process.wait()
                            server.restart()
                            wait_until_ready(server, tmp_path / f"{server.port}.log")
                    assert sorted(found) == sorted(server.client.keys())
                    whole += 1
        assert whole
