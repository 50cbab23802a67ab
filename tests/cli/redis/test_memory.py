"""`pawsctl redis memory` and `pawsctl redis maxmemory`."""

from collections.abc import Iterator

import pytest

from pawsctl.errors import ExitStatus
from tests.cli_runner import Pawsctl
from tests.servers import Server

MEGABYTE = 1 << 20


@pytest.fixture
def limited(server: Server) -> Iterator[Server]:
    """A server with the limit and policy of this project's own Redis, without its AOF."""
    server.client.config_set("maxmemory", 256 * MEGABYTE)
    server.client.config_set("maxmemory-policy", "allkeys-lru")
    yield server
    server.client.config_set("maxmemory", 0)
    server.client.config_set("maxmemory-policy", "noeviction")


def test_memory_tells_figures_under_keys_that_scripts_rely_on(
    pawsctl: Pawsctl, limited: Server
) -> None:
    """The figures are in bytes, for each node."""
    found = pawsctl("redis", "memory", "--json").json
    assert list(found) == ["url", "nodes", "silent"]
    (node,) = found["nodes"]
    assert list(node) == [
        "node", "used", "peak", "limit", "fragmentation", "policy", "evicted", "aof", "warnings",
    ]  # fmt: skip
    assert node["limit"] == 256 * MEGABYTE
    assert node["policy"] == "allkeys-lru"
    assert 0 < node["used"] <= node["peak"]
    assert node["warnings"] == [
        "AOF is off: sessions since the last save are lost when Redis stops"
    ]


def test_memory_warns_of_evicted_sessions(pawsctl: Pawsctl, limited: Server) -> None:
    """It also warns of a limit that is nearly reached."""
    used = int(limited.client.info("memory")["used_memory"])
    limited.client.config_set("maxmemory", used + 4 * MEGABYTE)
    for number in range(20_000):
        # One at a time: bytes in a client's buffer count as used, and can't be evicted.
        limited.client.set(f"wh:session:+{number}", b"x" * 1_000)
        if number % 100 == 0 and limited.client.info("stats")["evicted_keys"]:
            break
    warnings = pawsctl("redis", "memory", "--json").json["nodes"][0]["warnings"]
    assert warnings[0].startswith("Redis evicted ")
    assert "of the limit is used" in warnings[1]


def test_memory_warns_where_nothing_limits_or_evicts(pawsctl: Pawsctl, server: Server) -> None:
    """A Redis without any settings has neither a limit nor eviction."""
    text = pawsctl("redis", "memory").text
    assert server.url.removeprefix("redis://") in text
    assert "there is no memory limit" in text
    assert "the policy is noeviction" in text


def test_maxmemory_changes_the_limit_and_says_how_to_keep_it(
    pawsctl: Pawsctl, limited: Server
) -> None:
    """It asks first, unless --yes is given."""
    asked = pawsctl("redis", "maxmemory", "512mb")
    assert asked.status == ExitStatus.NOT_CONFIRMED
    assert "256.0 MB → 512.0 MB" in asked.err
    done = pawsctl("redis", "maxmemory", "512mb", "--yes", "--json")
    assert done.json["limit"] == 512 * MEGABYTE
    assert "CONFIG REWRITE" in done.err
    assert limited.client.config_get("maxmemory")["maxmemory"] == str(512 * MEGABYTE)


@pytest.mark.parametrize("size", ["", "lots", "12tb", "-1", "1.5gb"])
def test_what_is_no_size_is_wrong_usage(pawsctl: Pawsctl, size: str) -> None:
    """Exit 2, before any question."""
    assert pawsctl("redis", "maxmemory", "--yes", "--", size).status == ExitStatus.USAGE


def test_a_user_who_may_not_ask_is_told_so(pawsctl: Pawsctl, server: Server) -> None:
    """Exit 1, with Redis's own message."""
    server.client.execute_command("ACL", "SETUSER", "reader", "on", ">x", "~*", "+get")
    try:
        url = f"redis://reader:x@127.0.0.1:{server.port}"
        result = pawsctl("redis", "memory", "--url", url)
    finally:
        server.client.execute_command("ACL", "DELUSER", "reader")
    assert result.status == ExitStatus.FAILED
    assert "NOPERM" in result.err


@pytest.mark.parametrize(("size", "warns"), [("256mb", False), ("512mb", True), ("0", True)])
def test_maxmemory_warns_of_a_container_that_is_smaller(
    bare_pawsctl: Pawsctl, limited: Server, size: str, warns: bool
) -> None:
    """Only if it may be the Redis of `redis up`: others have no such container."""
    own = {"REDIS_PORT": str(limited.port)}
    result = bare_pawsctl("redis", "maxmemory", size, "--yes", env=own)
    assert ("is killed beyond that" in result.err) == warns
    other = bare_pawsctl("redis", "maxmemory", size, "--yes", "--url", limited.url)
    assert "is killed beyond that" not in other.err
