"""The commands that a read-only connection sends."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from pawsctl.config.redis_url import parse
from pawsctl.connection import connect, read_list, ttls_of, types_of
from pawsctl.connection.commands import Command
from pawsctl.errors import ReadOnly
from tests import servers
from tests.servers import Server


def test_no_listed_command_writes(any_server: Server) -> None:
    """The server itself says which of its commands write, or change settings."""
    allowed = {each.decode() for each in read_list._READS | read_list._OF_THE_CONNECTION}
    told = {name.upper(): about for name, about in any_server.client.command().items()}
    for name in allowed & told.keys():
        flags = {
            str(each, "ascii") if isinstance(each, bytes) else each for each in told[name]["flags"]
        }
        assert "write" not in flags, name
        assert name in ("KEYS", "LASTSAVE", "ROLE", "INFO") or "admin" not in flags, name
    assert len(allowed & told.keys()) > 80


@pytest.mark.parametrize(
    "command",
    [
        *(("SET", "k", "v"), (b"setex", b"k", 0, b""), ("GETEX", "k"), ("GETDEL", "k"), ("EVAL",)),
        *(("CONFIG", "SET", "a", "b"), ("CONFIG",), ("CLIENT", "KILL", "1"), ("SORT", "k")),
        *(("EVAL", "return redis.call('DEL', ARGV[1])", 0, "k"), ("EVALSHA", "0", 0)),
        *((*ttls_of([]), "k")[:2], ("EVAL", ttls_of([])[1], 1, "k"), ("FCALL_RO", "f", 0)),
        *(
            ("MULTI",),
            ("DEBUG", "SLEEP", 1),
            ("SCRIPT", "FLUSH"),
            ("MEMORY", "PURGE"),
            ("TOUCH", "k"),
        ),
        *(("FROBNICATE",), ("CLUSTER", "RESET"), ("SENTINEL", "FAILOVER", "a"), ("", "")),
    ],
)
def test_what_could_change_something_is_not_on_the_list(command: Command) -> None:
    """Neither is a script that is not ours, nor a command that nobody knows."""
    assert not read_list.only_reads(command)


def test_what_we_read_with_is_on_the_list() -> None:
    """Sub-commands count, in any case, and our scripts."""
    for command in (
        *(("get", b"k"), ("CLUSTER", "nodes"), ("CONFIG", "GET", "*"), ("INFO",), ("COMMAND",)),
        *(ttls_of([b"k"]), types_of([b"k"]), ("CLIENT", "NO-TOUCH", "ON"), ("ASKING",)),
    ):
        assert read_list.only_reads(command), command


def test_a_read_only_connection_sends_no_write(tmp_path: Path) -> None:
    """Neither alone nor among reads; and it goes on reading afterwards."""
    with servers.running(tmp_path) as server:
        server.client.set("k", "v")
        target = replace(parse(server.url, origin="test"), read_only="option --read-only")
        with connect(target) as connection:
            for commands in ([("DEL", "k")], [("GET", "k"), ("DEL", "k")], [("FLUSHALL",)]):
                with pytest.raises(ReadOnly, match="is not sent to redis://"):
                    connection.pipeline(commands)
                with pytest.raises(ReadOnly):
                    connection.primaries()[0].pipeline(commands)
            assert connection.call("GET", "k") == b"v"
        assert server.client.get("k") == b"v"
