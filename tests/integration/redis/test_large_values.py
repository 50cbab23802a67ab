"""Values too many or too large for one reply: read in portions, or reported by key."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pawsctl.errors import ExitStatus
from tests import clusters, servers
from tests.archives import entry, write
from tests.cli_runner import Pawsctl
from tests.faults.proxy import Bend, bending
from tests.servers import Server

MIB = 1024 * 1024


def conversation(size: int) -> str:
    """Return a session whose value has slightly more than `size` bytes."""
    said = [{"role": "user", "content": "x" * size}, {"role": "assistant", "content": []}]
    return json.dumps({"status": "active", "messages": said, "updatedAt": 1_790_000_000_000})


def fill(server: Server, sessions: int, size: int) -> None:
    """Write that many sessions of that size."""
    value = conversation(size)
    pipe = server.client.pipeline(transaction=False)
    for number in range(sessions):
        pipe.set(f"wh:session:+{number}", value, ex=600)
    pipe.execute()


def hangs_up(_number: int, reply: bytes) -> bytes:
    """A service that drops a client whose reply has more than 1 MiB."""
    if len(reply) > MIB:
        raise ConnectionError
    return reply


def refuses(_number: int, reply: bytes) -> bytes:
    """A service that refuses such a reply with an error."""
    return reply if len(reply) <= MIB else b"-ERR response is larger than 1048576 bytes\r\n"


Limit = Callable[[int, bytes], bytes]


@contextmanager
def limited(server: Server, folder: Path, limit: Limit, *, delay: float = 0) -> Iterator[Pawsctl]:
    """Yield pawsctl on a server behind such a service."""
    with bending(server.port, Bend(change=limit, delay=delay)) as (port, _):
        yield Pawsctl(folder, f"redis://127.0.0.1:{port}")


def assert_all_read(pawsctl: Pawsctl, count: int) -> None:
    """Assert that every command that reads values reads them all."""
    listed = pawsctl("session", "list", "-o", "jsonl")
    assert (listed.status, len(listed.out.splitlines())) == (0, count), listed.err
    assert pawsctl("session", "lint", "--json").json["checked"] == count
    assert pawsctl("session", "stats", "--json").json["sessions"] == count
    plan = pawsctl("session", "flush", "--status", "active", "--dry-run", "--json").json
    assert plan["sessions"] == count
    assert pawsctl("session", "export", "a.jsonl", "--json").json["sessions"] == count
    restored = pawsctl("session", "import", "--replace", "a.jsonl", "--json").json
    assert restored["imported"] == count
    phones = [f"+{number}" for number in range(count)]
    assert len(pawsctl("session", "get", "--json", *phones).json) == count


def test_an_output_buffer_that_is_smaller_than_all_values(tmp_path: Path) -> None:
    """Redis drops a client whose pending replies exceed the buffer."""
    limit = ("--client-output-buffer-limit", "normal", "10mb", "0", "0")
    with servers.running(tmp_path, *limit, program="redis-server") as server:
        fill(server, 30, MIB)
        assert_all_read(Pawsctl(tmp_path, server.url), 30)


@pytest.mark.parametrize("limit", [hangs_up, refuses])
@pytest.mark.parametrize("delay", [0, 0.004])
def test_a_service_that_answers_a_mebibyte_at_most(
    server: Server, tmp_path: Path, limit: Limit, delay: float
) -> None:
    """Also with a long round trip and so larger batches; small values before large ones."""
    fill(server, 600, 3_000)
    pipe = server.client.pipeline(transaction=False)
    for number in range(600, 610):
        pipe.set(f"wh:session:+{number}", conversation(MIB // 2), ex=600)
    pipe.execute()
    with limited(server, tmp_path, limit, delay=delay) as pawsctl:
        assert_all_read(pawsctl, 610)


@pytest.mark.parametrize("limit", [hangs_up, refuses])
def test_a_value_that_no_reply_can_hold_is_told_by_its_key(
    server: Server, tmp_path: Path, limit: Limit
) -> None:
    """All others are shown, and the exit status says that the result is incomplete."""
    fill(server, 200, 100)
    for phone in ("+7", "+8"):
        server.client.set(f"wh:session:{phone}", conversation(2 * MIB), ex=600)
    with limited(server, tmp_path, limit) as pawsctl:
        listed = pawsctl("session", "list", "-o", "jsonl")
        assert (listed.status, len(listed.out.splitlines())) == (ExitStatus.PARTIAL, 198)
        assert "wh:session:+7 (2097" in listed.error["message"]
        assert "wh:session:+8 (2097" in listed.error["message"]
        for command in ("lint", "stats"):
            result = pawsctl("session", command, "--json")
            assert result.status == ExitStatus.PARTIAL
            assert "wh:session:+7" in result.error["message"]
        assert pawsctl("session", "get", "+9", "+10", "--json").status == 0
        got = pawsctl("session", "get", "+9", "+7", "--json")
        assert got.status == ExitStatus.FAILED
        assert "wh:session:+7 (2097" in got.error["message"]
        exported = pawsctl("session", "export", "a.jsonl", "--json")
        assert exported.status == ExitStatus.PARTIAL
        assert not (tmp_path / "a.jsonl").exists()
        flushed = pawsctl("session", "flush", "--status", "active", "--yes", "--json")
        assert flushed.status == ExitStatus.PARTIAL
        assert server.client.dbsize() == 200
        partly = pawsctl("session", "flush", "--yes", "--json")
        assert partly.status == ExitStatus.PARTIAL
        assert set(server.client.keys()) == {b"wh:session:+7", b"wh:session:+8"}
        assert "They were not kept, and so not deleted." in partly.error["message"]
        flushed = pawsctl("session", "flush", "--yes", "--no-backup", "--json")
        assert flushed.json["deleted"] == 2


def test_a_watch_goes_on_beside_a_value_that_no_reply_can_hold(
    server: Server, tmp_path: Path
) -> None:
    """It names the key once."""
    fill(server, 3, 100)
    server.client.set("wh:session:+7", conversation(2 * MIB), ex=600)
    with limited(server, tmp_path, hangs_up) as pawsctl:
        process = pawsctl.start("session", "watch", "--json", "--interval", "0.2s")
        assert process.stderr is not None
        assert process.stdout is not None
        said = process.stderr.readline() + process.stderr.readline()
        server.client.set("wh:session:+1", conversation(200), ex=600)
        event = json.loads(process.stdout.readline())
        process.terminate()
        process.communicate(timeout=30)
    assert b"wh:session:+7" in said
    assert (event["event"], event["phone"]) == ("changed", "+1")


def test_the_nodes_of_a_cluster_have_limits_of_their_own(tmp_path: Path) -> None:
    """The batch size adapts to each node."""
    options = ("--client-output-buffer-limit", "normal", "4mb", "0", "0")
    with clusters.running(tmp_path, *options, replicas=0, program="redis-server") as cluster:
        for number in range(60):
            key = f"wh:session:+{number}".encode()
            cluster.owner_of(key).client.set(key, conversation(MIB // 2), ex=600)
        assert_all_read(Pawsctl(tmp_path, cluster.url), 60)


@pytest.mark.parametrize("limit", ["--proto-max-bulk-len", "--client-query-buffer-limit"])
@pytest.mark.parametrize("program", ["valkey-server", "redis-server"])
def test_a_value_that_redis_does_not_take_is_told_by_its_line(
    tmp_path: Path, limit: str, program: str
) -> None:
    """All others are imported, those before it and those after it."""
    entries = [entry(f"+{number}", conversation(100)) for number in range(100)]
    entries[40] = entry("+40", conversation(3 * MIB))
    file = write(tmp_path / "a.jsonl", entries)
    with (
        servers.running(tmp_path, limit, "1mb", program=program) as server,
        # A busy server closes the connection some time after it has said why.
        bending(server.port, Bend(linger=0.3)) as (port, _),
    ):
        pawsctl = Pawsctl(tmp_path, f"redis://127.0.0.1:{port}")
        for imported, kept in ((99, 0), (0, 99)):
            result = pawsctl("session", "import", "--json", str(file))
            assert result.status == ExitStatus.FAILED
            assert (result.json["imported"], result.json["kept"]) == (imported, kept)
            (reason,) = result.json["reasons"]
            assert reason["line"] == 42
            assert "3145" in reason["reason"]
        assert server.client.dbsize() == 99


def test_a_user_who_may_not_ask_for_sizes(server: Server, tmp_path: Path) -> None:
    """Batches shrink until a reply comes; a value that never comes is reported."""
    fill(server, 60, MIB // 4)
    server.client.set("wh:session:+7", conversation(2 * MIB), ex=600)
    rules = ("reset", "on", ">pw", "~*", "+@all", "-strlen")
    server.client.execute_command("ACL", "SETUSER", "unsized", *rules)
    try:
        with bending(server.port, Bend(change=hangs_up)) as (port, _):
            pawsctl = Pawsctl(tmp_path, f"redis://unsized:pw@127.0.0.1:{port}")
            listed = pawsctl("session", "list", "-o", "jsonl")
            got = pawsctl("session", "get", "--json", "+1", "+2", "+3", "+4", "+5", "+6")
            refused = pawsctl("session", "get", "--json", "+7")
    finally:
        server.client.execute_command("ACL", "DELUSER", "unsized")
    assert (listed.status, len(listed.out.splitlines())) == (ExitStatus.PARTIAL, 59)
    assert "wh:session:+7, which is larger" in listed.error["message"]
    assert len(got.json) == 6
    assert "wh:session:+7, which is larger" in refused.error["message"]
