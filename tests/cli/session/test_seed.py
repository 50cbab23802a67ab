"""`pawsctl session seed` as its users run it."""

import json

from pawsctl.errors import ExitStatus
from tests.archives import held
from tests.cli_runner import Pawsctl
from tests.servers import Server

SIX_HOURS = 21_600


def test_seed_writes_sessions_that_the_bot_could_have_written(
    anywhere: Pawsctl, any_server: Server
) -> None:
    """About 1 KB each, with TTLs of every length, and without findings of lint."""
    result = anywhere("session", "seed", "3000", "--json")
    assert result.status == ExitStatus.OK
    assert result.json == {
        "url": any_server.url,
        "sessions": 3_000,
        "seed": 1,
        "kept": 0,
        "evicted": 0,
    }
    found = [
        json.loads(line) for line in anywhere("session", "list", "-o", "jsonl").text.splitlines()
    ]
    assert len(found) == len({each["phone"] for each in found}) == 3_000
    assert [each["problem"] for each in found if each["problem"]] == []
    assert 800 < sum(each["bytes"] for each in found) / len(found) < 1_300
    ttls = sorted(each["ttl"] for each in found)
    assert 30 <= ttls[0] < 600
    assert SIX_HOURS - 600 < ttls[-1] <= SIX_HOURS
    assert SIX_HOURS * 0.4 < ttls[1_500] < SIX_HOURS * 0.6
    assert len({each["messages"] for each in found}) > 5


def test_a_seed_makes_the_same_sessions_again(pawsctl: Pawsctl, server: Server) -> None:
    """Only their time of update differs; another seed makes others."""

    def seeded(number: str) -> dict[bytes, object]:
        server.client.flushall()
        assert pawsctl("session", "seed", "500", "--seed", number).status == ExitStatus.OK
        return {
            key: (json.loads(each.value)["messages"], server.client.ttl(key) // 100)
            for key, each in held(server).items()
        }

    first, again, other = seeded("7"), seeded("7"), seeded("8")
    assert first.keys() == again.keys()
    same = sum(first[key] == again[key] for key in first)
    # A TTL may have passed a round number meanwhile.
    assert same > 450
    assert first.keys() != other.keys()


def test_a_session_that_is_there_stays(anywhere: Pawsctl, any_server: Server) -> None:
    """Made-up sessions replace no other, nor its TTL."""
    assert anywhere("session", "seed", "2").status == ExitStatus.OK
    key = sorted(any_server.client.keys())[0]
    any_server.client.set(key, "of a customer", ex=100)
    again = anywhere("session", "seed", "3", "--json")
    assert (again.json["sessions"], again.json["kept"]) == (1, 2)
    assert any_server.client.get(key) == b"of a customer"
    assert any_server.client.ttl(key) <= 100
    said = anywhere("session", "seed", "3").text
    assert "3 phones had one already, which stays" in said


def test_seed_refuses_a_redis_that_is_not_on_this_machine(pawsctl: Pawsctl, server: Server) -> None:
    """No option overrides this."""
    result = pawsctl("session", "seed", "5", "--url", f"redis://0.0.0.0:{server.port}")
    assert result.status == ExitStatus.USAGE
    assert "0.0.0.0 is not this machine" in result.err
    assert server.client.dbsize() == 0


def test_a_redis_that_evicts_what_is_seeded_is_no_success(
    anywhere: Pawsctl, any_server: Server
) -> None:
    """It accepts every session, and drops others; if it refuses one, it has dropped some before."""
    client = any_server.client
    try:
        used = client.info("memory")["used_memory"]
        client.config_set("maxmemory-policy", "allkeys-lru")
        client.config_set("maxmemory", used + 2_000_000)
        before = client.info("stats")["evicted_keys"]
        done = anywhere("session", "seed", "6000", "--json")
        # Each command may evict some more, but not between these two.
        with client.pipeline() as pipe:
            pipe.info("stats")
            pipe.dbsize()
            stats, left = pipe.execute()
    finally:
        client.config_set("maxmemory", 0)
        client.config_set("maxmemory-policy", "noeviction")
    assert done.status == ExitStatus.FAILED, done.err
    # Now and then the server itself refuses when it begins to evict.
    if "OOM" in done.err:
        assert "; Redis evicted " in done.err
    else:
        evicted = stats["evicted_keys"] - before
        assert done.json["sessions"] - evicted == left < 6_000
        assert 0 < done.json["evicted"] <= evicted
        assert "sessions may be missing" in done.err
