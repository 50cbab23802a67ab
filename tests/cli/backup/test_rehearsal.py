"""A flush that finds out beforehand what an ACL would refuse: in little memory, and truly."""

import tracemalloc

import pytest

from pawsctl.config.redis_url import parse
from pawsctl.connection import connect
from pawsctl.errors import ExitStatus, OperationFailed
from pawsctl.sessions.store.store import SessionStore
from tests.cli_runner import Pawsctl
from tests.conftest import SAMPLES
from tests.servers import NewUser, Server, store_session

VALUE = (SAMPLES / "greeting.json").read_bytes()

_KEYS = 8_000
_LONG = 10_000


@pytest.fixture
def many(server: Server) -> Server:
    """Return a server with keys whose names take 80 MB together, and one more."""
    with server.client.pipeline(transaction=False) as pipeline:
        for number in range(_KEYS):
            pipeline.set(f"wh:session:+1{number:0{_LONG}}", "")
        pipeline.set("wh:session:+2", "")
        pipeline.execute()
    return server


@pytest.mark.slow(8)
def test_no_more_than_a_batch_of_keys_is_held_while_deletions_are_tried(
    many: Server, user: NewUser
) -> None:
    """Before a flush, and for the hint after a backup that was refused; the count is right."""
    pattern = b"wh:session:*"
    url = user("%R~*", "~wh:session:+1*", "+@all")
    with SessionStore(connect(parse(url, origin="the test"))) as store:
        store.connection.connect()
        tracemalloc.start()
        try:
            with pytest.raises(OperationFailed) as failed:
                store.require_deletable(pattern, hint="")
            assert not store.may_delete_all(pattern)
            user("%R~*", "~wh:session:+[12]*", "+@all")
            assert store.may_delete_all(pattern)
            store.require_deletable(pattern, hint="")
            most = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert store.connection.call("PING") == b"PONG"
    assert "This user may not delete 1 of the 8001 keys." in failed.value.message
    assert most < _KEYS * _LONG * 3 / 4
    assert many.client.dbsize() == _KEYS + 1


@pytest.mark.parametrize(
    ("chosen", "keys"),
    [
        (("--match", "+59890?"), "~wh:session:+598901"),
        ((), "~wh:session:+59890?"),
        (("--status", "active"), "~wh:session:+59890?"),
    ],
)
def test_a_flush_is_not_refused_beforehand_where_that_could_not_be_tried(
    pawsctl: Pawsctl,
    server: Server,
    user: NewUser,
    chosen: tuple[str, ...],
    keys: str,
) -> None:
    """Without transactions, that it is not known is said, and the deletion tells."""
    url = user(keys, "+@all", "-@transaction")
    flush = ("session", "flush", *chosen, "--url", url)
    for words in ((), ("--no-backup",)):
        store_session(server, "+598901", VALUE)
        planned = pawsctl(*flush, "--dry-run")
        assert planned.status == ExitStatus.OK, planned.err
        assert "Whether this user may delete these keys is not known" in planned.err
        assert server.client.keys("*") == [b"wh:session:+598901"]
        done = pawsctl(*flush, "--yes", *words)
        assert done.status == ExitStatus.OK, done.err
        assert not server.client.keys("*")
    planned = pawsctl(*flush, "--dry-run")
    assert (planned.status, "is not known" in planned.err) == (ExitStatus.OK, False)


@pytest.mark.parametrize("words", [(), ("--no-backup",)])
def test_a_flush_that_could_not_be_tried_says_what_was_refused(
    pawsctl: Pawsctl, server: Server, user: NewUser, words: tuple[str, ...]
) -> None:
    """The other keys are deleted."""
    url = user("%R~*", "~wh:session:+1*", "+@all", "-@transaction")
    for phone in ("+1", "+2"):
        store_session(server, phone, VALUE)
    failed = pawsctl("session", "flush", "--yes", *words, "--json", "--url", url)
    assert failed.status == ExitStatus.FAILED
    assert failed.error["message"] == (
        "This user may not delete 1 key. Before that, 1 key was deleted."
    )
    assert server.client.keys("*") == [b"wh:session:+2"]
