"""Commands that a server, its ACL or a proxy refuses: replaced by another, or reported."""

import json
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import redis

from pawsctl.errors import ExitStatus
from tests import clusters, lying, servers
from tests.cli_runner import Pawsctl
from tests.needs import skip_or_fail
from tests.ports import free_port
from tests.processes import wait_until
from tests.servers import Server

PROGRAMS = ("valkey-server", "redis-server")
UNDECLARED = (
    b"-ERR script tried accessing undeclared key, please declare keys or run with "
    b"allow-undeclared-keys\r\n"
)


@pytest.fixture(scope="module", params=PROGRAMS)
def renaming(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server on which the newer commands are unknown."""
    if servers.binary(request.param) is None:
        skip_or_fail(f"{request.param} is not installed")
    options = [
        option
        for name in ("UNLINK", "PTTL", "EVAL", "MGET", "MEMORY", "CLIENT", "HELLO")
        for option in ("--rename-command", name, "")
    ]
    folder = tmp_path_factory.mktemp("renaming")
    with servers.running(folder, *options, program=request.param) as server:
        yield server


def seeded(client: redis.Redis, *phones: str, size: int = 20) -> None:
    """Store sessions of these phones."""
    value = json.dumps(
        {"status": "active", "messages": [{"role": "user", "content": "x" * size}], "updatedAt": 1}
    )
    for phone in phones:
        client.set(f"wh:session:{phone}", value, ex=3_600)


def phones_in(items: Any) -> list[str]:
    """Return the phones of a list."""
    return sorted(each["phone"] for each in items)


def test_a_server_that_knows_only_older_commands(bare_pawsctl: Pawsctl, renaming: Server) -> None:
    """Every session command works there, and a dry run predicts the flush correctly."""
    renaming.client.flushall()
    seeded(renaming.client, "+1", "+2", "+3")
    renaming.client.hset("wh:session:+h", mapping={"a": "b"})

    def called(*words: str) -> Any:
        result = bare_pawsctl(*words, "--json", "--url", renaming.url)
        assert result.status == ExitStatus.OK, result.err
        return result.json

    assert phones_in(called("session", "list")) == ["+1", "+2", "+3", "+h"]
    assert all(3_000 < each["ttl"] <= 3_600 for each in called("session", "ttl", "+1", "+2"))
    assert called("session", "ttl")["sessions"] == 4
    assert called("session", "delete", "+3")["deleted"]
    assert called("session", "flush", "--dry-run")["sessions"] == 2
    flushed = called("session", "flush", "--yes")
    assert (flushed["deleted"], flushed["others"]) == (3, {"hash": 1})
    assert not renaming.client.keys()


@contextmanager
def user(server: Server, *rules: str) -> Iterator[str]:
    """Yield the URL of a user with these rules."""
    server.client.execute_command("ACL", "SETUSER", "u", "reset", "on", ">pw", *rules)
    try:
        yield f"redis://u:pw@127.0.0.1:{server.port}"
    finally:
        server.client.execute_command("ACL", "DELUSER", "u")


def test_a_dry_run_fails_where_the_flush_would(bare_pawsctl: Pawsctl, any_server: Server) -> None:
    """The user may run neither UNLINK nor DEL, or not on these keys."""
    seeded(any_server.client, "+1")
    for rules in (("~*", "+@all", "-unlink", "-del"), ("%R~*", "+@all")):
        with user(any_server, *rules) as url:
            result = bare_pawsctl("session", "flush", "--dry-run", "--json", "--url", url)
            assert result.status == ExitStatus.FAILED, rules
            assert "NOPERM" in result.error["message"]
    with user(any_server, "~*", "+@all", "-unlink") as url:
        assert bare_pawsctl("session", "flush", "--yes", "--url", url).status == ExitStatus.OK
    assert not any_server.client.keys("wh:*")


def test_an_acl_on_some_of_the_keys(bare_pawsctl: Pawsctl, any_server: Server) -> None:
    """Readable sessions are shown, unreadable ones counted; --match selects the readable ones."""
    seeded(any_server.client, *(f"+1{number}" for number in range(30)), "+2", "+3")
    with user(any_server, "~wh:session:+1*", "+@all") as url:
        for words in ("session list", "session lint", "session stats", "session ttl"):
            result = bare_pawsctl(*words.split(), "--json", "--url", url)
            assert result.status == ExitStatus.PARTIAL, (words, result.err)
            assert "may not read 2 keys" in result.error["message"]
            assert "--match" in result.error["hint"]
        listed = bare_pawsctl("session", "list", "--json", "--url", url)
        assert len(listed.json) == 30
        whole = bare_pawsctl("session", "list", "--match", "+1*", "--json", "--url", url)
        assert (whole.status, len(whole.json)) == (ExitStatus.OK, 30)
        refused = bare_pawsctl("session", "export", "all.jsonl", "--url", url)
        assert refused.status == ExitStatus.PARTIAL
        assert not (bare_pawsctl.folder / "all.jsonl").exists()
        refused = bare_pawsctl("session", "flush", "--yes", "--url", url)
        assert refused.status != ExitStatus.OK
        assert len(any_server.client.keys("wh:session:*")) == 32
        flushed = bare_pawsctl(
            "session", "flush", "--match", "+1*", "--yes", "--json", "--url", url
        )
        assert flushed.json["deleted"] == 30, flushed.err
    assert len(any_server.client.keys("wh:session:*")) == 2


def test_scripts_that_may_touch_only_declared_keys(bare_pawsctl: Pawsctl) -> None:
    """As in Dragonfly: a script without keys runs, one with our keys is refused."""

    def tell(command: list[bytes]) -> bytes:
        if command[0] == b"EVAL" and len(command) > 3:
            return UNDECLARED
        return lying.honest(command)

    with lying.answering(tell) as url:
        for words in ("session list", "session ttl", "session lint", "session stats"):
            result = bare_pawsctl(*words.split(), "--json", "--url", url)
            assert result.status == ExitStatus.OK, result.err


@contextmanager
def full(tmp_path: Path, password: str = "") -> Iterator[Server]:
    """A server that allows one client, and already has it."""
    with servers.running(tmp_path, password=password or None) as server:
        server.client.config_set("maxclients", 1)
        yield server


@pytest.mark.parametrize("password", ["", "s3cret"])
def test_too_many_clients(bare_pawsctl: Pawsctl, tmp_path: Path, password: str) -> None:
    """The server says so and hangs up; the error does not blame TLS."""
    with full(tmp_path, password) as server:
        login = f":{password}@" if password else ""
        url = f"redis://{login}127.0.0.1:{server.port}"
        for words in ("session list", "health", "session touch +1"):
            result = bare_pawsctl(*words.split(), "--json", "--url", url)
            assert result.status == ExitStatus.UNREACHABLE
            assert "max number of clients reached" in result.error["message"]
            assert "maxclients" in result.error["hint"]
            assert "TLS" not in result.err


def _own_address() -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))
        return str(probe.getsockname()[0])


def test_protected_mode(bare_pawsctl: Pawsctl, tmp_path: Path) -> None:
    """To clients from other machines it answers DENIED and hangs up."""
    try:
        address = _own_address()
    except OSError:
        skip_or_fail("this machine has no address but loopback's")
    options = ("--bind", "127.0.0.1", address, "--protected-mode", "yes")
    with servers.running(tmp_path, *options) as server:
        for login in ("", ":pw@"):
            url = f"redis://{login}{address}:{server.port}"
            result = bare_pawsctl("session", "list", "--json", "--url", url)
            assert result.status == ExitStatus.UNREACHABLE
            assert "DENIED" in result.error["message"]
            assert "protected mode" in result.error["hint"]


def test_a_value_that_is_too_large_for_the_server(bare_pawsctl: Pawsctl, tmp_path: Path) -> None:
    """It answers "invalid bulk length" and hangs up midway; that is the reason given."""
    with servers.running(tmp_path) as server:
        seeded(server.client, "+1", size=3 << 20)
        exported = bare_pawsctl("session", "export", "big.jsonl", "--url", server.url)
        assert exported.status == ExitStatus.OK, exported.err
        server.client.flushall()
        server.client.config_set("proto-max-bulk-len", 1 << 20)
        result = bare_pawsctl("session", "import", "big.jsonl", "--json", "--url", server.url)
    assert result.status != ExitStatus.OK
    assert "invalid bulk length" in result.text
    # A look has shown that it is not there.
    assert "No one knows" not in result.text


def test_who_hangs_up_without_a_word_is_not_said_to_speak_tls(bare_pawsctl: Pawsctl) -> None:
    """There is no evidence of TLS."""
    with lying.answering(lambda _command: None) as url:
        result = bare_pawsctl("session", "list", "--json", "--url", url)
    assert result.status == ExitStatus.UNREACHABLE
    assert "hung up without a word" in result.error["message"]
    assert "TLS" not in result.err


def test_a_proxy_that_hangs_up_at_a_command_is_named(bare_pawsctl: Pawsctl) -> None:
    """As twemproxy does at SCAN: that a Redis has to be started would be false."""
    replies = {b"PING": b"+PONG\r\n"}
    with lying.answering(lambda command: replies.get(command[0].upper())) as url:
        result = bare_pawsctl("session", "list", "--json", "--url", url)
    assert result.status == ExitStatus.UNREACHABLE
    assert "behind it" in result.error["hint"]


@contextmanager
def http() -> Iterator[str]:
    """Yield the redis:// URL of a real web server."""
    with ThreadingHTTPServer(("127.0.0.1", 0), SimpleHTTPRequestHandler) as web:
        thread = threading.Thread(target=web.serve_forever)
        thread.start()
        try:
            yield f"redis://127.0.0.1:{web.server_address[1]}"
        finally:
            web.shutdown()
            thread.join()


def test_what_answers_in_place_of_redis_is_shown(bare_pawsctl: Pawsctl) -> None:
    """Its own words, whatever they contain, say best what it is."""
    with http() as url:
        result = bare_pawsctl("session", "list", "--json", "--url", url)
        assert result.status == ExitStatus.UNREACHABLE
        assert "not Redis: b'" in result.error["message"]
    with lying.answering(lambda _command: b"220 \x1b[31m mail\xff\r\n") as url:
        for place in (url, url.replace("redis:", "redis+cluster:"), f"{url}/9"):
            result = bare_pawsctl("session", "list", "--url", place)
            assert result.status == ExitStatus.UNREACHABLE
            assert "b'220 \\x1b[31m mail\\xff'" in result.err
            assert "\x1b" not in result.err


def test_what_is_no_reply_is_told_with_its_command(bare_pawsctl: Pawsctl) -> None:
    """This also holds in the middle of a connection to a Redis."""

    def tell(command: list[bytes]) -> bytes:
        return b"?what\r\n" if command[0] == b"SCAN" else lying.honest(command)

    with lying.answering(tell) as url:
        result = bare_pawsctl("session", "list", "--json", "--url", url)
    assert result.status == ExitStatus.UNREACHABLE
    assert "SCAN was answered with b'?what'" in result.error["message"]


@pytest.fixture
def twemproxy(server: Server, tmp_path: Path) -> Iterator[str]:
    """Yield the URL of a twemproxy before a server; it hangs up at CLIENT, INFO and SCAN."""
    program = shutil.which("nutcracker") or shutil.which("nutcracker", path="/usr/sbin")
    if program is None:
        skip_or_fail("nutcracker is not installed")
    port, stats = free_port(), free_port()
    config = tmp_path / "nutcracker.yml"
    config.write_text(
        f"pool:\n  listen: 127.0.0.1:{port}\n  redis: true\n  hash: fnv1a_64\n"
        f"  distribution: ketama\n  servers:\n   - 127.0.0.1:{server.port}:1\n"
    )
    with ExitStack() as stack:
        process = subprocess.Popen(
            [program, "-c", str(config), "-s", str(stats), "-o", str(tmp_path / "log")]
        )
        stack.callback(process.wait)
        stack.callback(process.kill)

        def listens() -> bool:
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0

        wait_until(listens, "twemproxy")
        yield f"redis://127.0.0.1:{port}"


def test_a_proxy_that_hangs_up_at_what_it_does_not_know(
    bare_pawsctl: Pawsctl, server: Server, twemproxy: str
) -> None:
    """Commands that the proxy knows work through it; others give an error that says why."""
    seeded(server.client, "+1", "+2")
    for words in ("session get +1", "session ttl +1 +2", "session touch +1", "session delete +1"):
        result = bare_pawsctl(*words.split(), "--json", "--url", twemproxy)
        assert result.status == ExitStatus.OK, (words, result.err)
    assert server.client.keys("wh:*") == [b"wh:session:+2"]
    listed = bare_pawsctl("session", "list", "--json", "--url", twemproxy)
    assert listed.status == ExitStatus.UNREACHABLE
    assert "TLS" not in listed.err
    # By the port that `redis up` would use: what answers there need not be started.
    for words in ("session list", "redis memory"):
        port = {"REDIS_PORT": twemproxy.rpartition(":")[2]}
        told = bare_pawsctl(*words.split(), "--json", env=port).error
        assert told["hint"].startswith("If it hangs up each time, it may be a proxy"), told
        assert "redis up" not in told["hint"]
    doctor = bare_pawsctl("doctor", "--json", "--url", twemproxy)
    states = {each["name"]: each["state"] for each in doctor.json["findings"]}
    assert "failed" not in states.values(), doctor.text
    assert {states[each] for each in ("server", "memory", "clock", "sessions")} == {"skipped"}
    text = bare_pawsctl("doctor", "--url", twemproxy).text
    assert text.count("hung up without a word") == text.count("it may be a proxy") == 1, text
    assert text.count("for the same reason as server") == 3
    checks = bare_pawsctl("health", "--json", "--url", twemproxy).json["checks"]
    assert [each["ok"] for each in checks] == [True, True, True], checks


def test_a_cluster_whose_user_may_not_ask_for_info(
    bare_pawsctl: Pawsctl, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Commands open to every user reveal it, by TCP and Unix socket; no key is left out."""
    folder = tmp_path_factory.mktemp("noinfo")
    sockets = ("--unixsocket", str(folder / "{port}.sock"))
    with clusters.running(folder, *sockets, replicas=0) as cluster:
        phones = cluster.seed(300)
        for primary in cluster.primaries:
            for name, rules in {
                "u": ("~*", "+@all", "-@dangerous", "+cluster|slots", "+cluster|nodes"),
                "blind": ("~*", "+@all", "-@dangerous", "-cluster"),
            }.items():
                primary.client.execute_command("ACL", "SETUSER", name, "reset", "on", ">pw", *rules)
        port = cluster.primaries[0].port
        for place in (f"redis://u:pw@127.0.0.1:{port}", f"unix://u:pw@{folder}/{port}.sock"):
            listed = bare_pawsctl("session", "list", "--json", "--url", place)
            assert listed.status == ExitStatus.OK, listed.err
            assert {each["phone"] for each in listed.json} == phones
            planned = bare_pawsctl("session", "flush", "--dry-run", "--json", "--url", place)
            assert planned.json["sessions"] == 300, planned.err
            healthy = bare_pawsctl("health", "--json", "--url", place)
            assert len(healthy.json["checks"]) == 9, healthy.json
        blind = f"redis://blind:pw@127.0.0.1:{port}"
        listed = bare_pawsctl("session", "list", "--json", "--url", blind)
        assert listed.status == ExitStatus.PARTIAL
        assert "+cluster|nodes" in listed.error["hint"]
        assert 0 < len(json.loads(listed.out)) < 300
        flushed = bare_pawsctl("session", "flush", "--yes", "--json", "--url", blind)
        assert flushed.status == ExitStatus.FAILED, flushed
        found = bare_pawsctl("session", "get", *sorted(phones)[:20], "--json", "--url", blind)
        assert found.status == ExitStatus.OK, found.err
        healthy = bare_pawsctl("health", "--json", "--url", blind)
        assert healthy.status == ExitStatus.FAILED
        left = sum(primary.client.dbsize() for primary in cluster.primaries)
        assert left == 300
