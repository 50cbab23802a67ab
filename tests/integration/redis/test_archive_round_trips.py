"""Round trips of archives through the operations: all stored data comes back."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pawsctl.config.redis_url import parse
from pawsctl.connection import connect
from pawsctl.sessions.archive import export, read, restore
from pawsctl.sessions.archive.restore import Imported
from pawsctl.sessions.contract.saved import Saved
from pawsctl.sessions.store.bulk_writer import BulkWriter
from pawsctl.sessions.store.store import SessionStore
from tests import between
from tests.archives import assert_same, held
from tests.servers import Server


class Stored(NamedTuple):
    """A session that a test stores: the key without its prefix, the value, the TTL in ms."""

    phone: bytes
    value: bytes
    ttl_ms: int | None


TEXTS = st.text().map(lambda text: text.encode("utf-8", "surrogatepass"))
SESSIONS = st.lists(
    st.builds(
        Stored,
        phone=st.from_regex(rb"\+[0-9]{3,8}", fullmatch=True) | TEXTS | st.binary(),
        value=TEXTS | st.binary(max_size=2_000),
        ttl_ms=st.none() | st.integers(60_000, 2**40),
    ),
    max_size=40,
)


@contextmanager
def store_of(url: str) -> Iterator[SessionStore]:
    """Return the sessions of a server."""
    with SessionStore(connect(parse(url, origin="the test"))) as store:
        yield store


def import_from(path: Path, url: str, *, replace: bool = False) -> Imported:
    """Import an archive."""
    with store_of(url) as store, read.opened(str(path)) as archive:
        return restore.restore(
            store, archive, restore.How(replace=replace), progress=lambda _count: None
        )


@given(sessions=SESSIONS, name=st.sampled_from(["a.jsonl", "a.jsonl.gz"]))
@settings(max_examples=60, suppress_health_check=list(HealthCheck))
def test_whatever_is_stored_comes_back(
    any_server: Server, sessions: list[Stored], name: str
) -> None:
    """Any bytes in key and value, and any TTL."""
    client = any_server.client
    client.flushall()
    for each in sessions:
        client.set(b"wh:session:" + each.phone, each.value, px=each.ttl_ms)
    before = held(any_server)
    with tempfile.TemporaryDirectory() as folder, store_of(any_server.url) as store:
        path = Path(folder) / name
        exported = export.to_file(store, path, lambda _count: None)
        assert exported.sessions == len(before)
        client.flushall()
        assert import_from(path, any_server.url).imported == len(before)
    assert_same(before, held(any_server))


def test_progress_adds_up(server: Server, tmp_path: Path) -> None:
    """This covers export and import."""
    pipe = server.client.pipeline(transaction=False)
    for number in range(2_345):
        pipe.set(f"wh:session:+{number}", "{}", ex=600)
    pipe.execute()
    told: list[int] = []
    with store_of(server.url) as store:
        export.to_file(store, tmp_path / "a.jsonl", told.append)
        assert sum(told) == 2_345
        told.clear()
        with read.opened(str(tmp_path / "a.jsonl")) as archive:
            assert archive.count == 2_345
            restore.restore(store, archive, restore.How(replace=True), progress=told.append)
    assert sum(told) == 2_345
    assert len(told) > 1


@pytest.mark.parametrize("replace", [False, True])
def test_a_server_before_6_2_gets_the_same_ttls(
    any_server: Server, tmp_path: Path, replace: bool
) -> None:
    """It knows no PXAT; existing sessions are still kept or replaced as asked."""
    client = any_server.client
    for number in range(700):
        client.set(f"wh:session:+{number}", str(number), px=60_000 + number * 1_000)
    client.set("wh:session:+forever", "{}")
    before = held(any_server)
    with store_of(any_server.url) as store:
        export.to_file(store, tmp_path / "a.jsonl", lambda _count: None)
    client.flushall()
    client.set("wh:session:+0", "mine", ex=30)
    with between.standing(any_server, refuses=between.before_6_2) as url:
        imported = import_from(tmp_path / "a.jsonl", url, replace=replace)
    assert (imported.imported, imported.kept) == ((701, 0) if replace else (700, 1))
    after = held(any_server)
    if not replace:
        assert after[b"wh:session:+0"].value == b"mine"
        before.pop(b"wh:session:+0")
        after.pop(b"wh:session:+0")
    assert_same(before, after)


def test_a_write_never_changes_the_ttl_of_what_exists(any_server: Server) -> None:
    """Without replace a key is unchanged; with it, value and TTL change together."""
    client = any_server.client
    client.set("wh:session:+1", "mine")
    later = int(time.time() * 1000) + 60_000
    sessions = [Saved(b"wh:session:+1", b"new", later), Saved(b"wh:session:+2", b"new", None)]
    with store_of(any_server.url) as store:
        keeping = BulkWriter(store, replace=False)
        assert keeping.would_write(sessions) == [False, True]
        assert keeping.write(sessions) == [False, True]
        assert client.get("wh:session:+1") == b"mine"
        assert client.pexpiretime("wh:session:+1") == -1
        replacing = BulkWriter(store, replace=True)
        assert replacing.would_write(sessions) == [True, True]
        assert replacing.write(sessions) == [True, True]
    assert client.get("wh:session:+1") == b"new"
    assert client.pexpiretime("wh:session:+1") == later
    assert client.pexpiretime("wh:session:+2") == -1


def test_the_clock_that_counts_is_the_servers(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This machine's may be an hour off, like that of a virtual machine that was suspended."""
    server.client.set("wh:session:+1", "{}", px=600_000)
    before = held(server)
    real = time.time
    with store_of(server.url) as store:
        monkeypatch.setattr(time, "time", lambda: real() + 3_600)
        export.to_file(store, tmp_path / "a.jsonl", lambda _count: None)
        server.client.flushall()
        monkeypatch.setattr(time, "time", lambda: real() - 3_600)
        assert import_from(tmp_path / "a.jsonl", server.url).imported == 1
    assert_same(before, held(server))
