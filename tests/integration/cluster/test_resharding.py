"""Slots that move while all sessions are listed or deleted: none twice, none missed."""

import subprocess
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from pawsctl.config.redis_url import parse
from pawsctl.connection import Timeouts, connect
from pawsctl.connection.cluster.slots import slot_of
from pawsctl.sessions.smoke.bot import BotSessions
from tests.cli_runner import Pawsctl
from tests.clusters import Cluster
from tests.servers import required

# Long enough for every node to have heard of a move: until then Redis itself may lose a slot that
# is moved again.
GOSSIP_SECONDS = 1.3


def store_of(cluster: Cluster) -> BotSessions:
    """Return the sessions of a cluster, read by this process."""
    return BotSessions(connect(parse(cluster.url, origin="a test"), Timeouts()))


def phones_of(store: BotSessions) -> Iterator[str]:
    """Yield the phone of each session in a pass."""
    return (record.key.decode().removeprefix("wh:session:") for record in store.records())


def test_what_moves_away_before_it_is_scanned_is_found(movable: Cluster) -> None:
    """Slots move from a node's end to a node whose scan is past them, with their keys."""
    phones = movable.seed(20_000)
    first, second, third = movable.primaries
    with store_of(movable) as store:
        found = phones_of(store)
        seen = [next(found) for _ in range(100)]
        for slot in movable.slots_of(0)[:150]:
            movable.move_slot(slot, first, second)
        for slot in movable.slots_of(2)[:150]:
            movable.move_slot(slot, third, second)
        seen += [next(found) for _ in range(9_000)]
        for slot in movable.slots_of(0)[150:200]:
            movable.move_slot(slot, first, third)
        seen += found
    assert len(seen) == len(phones)
    assert set(seen) == phones


def test_a_slot_that_went_away_and_came_back_is_looked_at_again(movable: Cluster) -> None:
    """Its owner is the same before and after; in between the scan could not see its keys."""
    phones = movable.seed(20_000)
    first, second, _ = movable.primaries
    slots = movable.slots_of(0)[:40]
    with store_of(movable) as store:
        found = phones_of(store)
        seen = [next(found) for _ in range(100)]
        for slot in slots:
            movable.move_slot(slot, first, second)
        seen += [next(found) for _ in range(10_000)]
        time.sleep(GOSSIP_SECONDS)
        for slot in slots:
            movable.move_slot(slot, second, first)
        seen += found
    assert len(seen) == len(phones)
    assert set(seen) == phones


def test_a_half_migrated_slot_is_whole_for_every_command(
    movable: Cluster, anywhere: Pawsctl
) -> None:
    """Its keys are on two nodes: each is listed once, read, touched and deleted."""
    phones = movable.seed(3_000)
    first, second, _ = movable.primaries
    halves: set[str] = set()
    for slot in movable.slots_of(0)[:300]:
        movable.begin_move(slot, first, second)
        halves.update(movable.move_keys(slot, first, second, limit=1))
    assert halves
    gone = sorted(key.removeprefix("wh:session:") for key in halves)
    stayed = [
        phone
        for phone in sorted(phones)
        if slot_of(f"wh:session:{phone}".encode()) in movable.slots_of(0)[:300]
        and phone not in gone
    ]
    listed = anywhere("session", "list", "--json", "--url", movable.url)
    assert listed.status == 0
    assert sorted(each["phone"] for each in listed.json) == sorted(phones)
    some = [*gone[:20], *stayed[:20]]
    for command in ("get", "ttl", "touch"):
        result = anywhere("session", command, *some, "--json", "--url", movable.url)
        assert (result.status, [each["phone"] for each in result.json]) == (0, some)
    assert anywhere("session", "delete", *some, "--url", movable.url).status == 0
    strange = next(key for key in (b"wh:session:+%d" % n for n in count()) if slot_of(key) < 300)
    with second.client.pipeline(transaction=False) as pipe:
        pipe.execute_command("ASKING")
        pipe.hset(strange, "a", "b")
        pipe.execute()
    listed = anywhere("session", "list", "--problem", "--json", "--url", movable.url)
    assert [each["key"] for each in listed.json] == [strange.decode()]
    flushed = anywhere("session", "flush", "--yes", "--json", "--url", movable.url)
    assert (flushed.status, flushed.json["deleted"]) == (0, len(phones) - len(some) + 1)
    assert flushed.json["others"] == {"hash": 1}
    assert [primary.client.dbsize() for primary in movable.primaries] == [0, 0, 0]


def test_a_reshard_under_way_hides_nothing(
    movable: Cluster, anywhere: Pawsctl, tmp_path: Path
) -> None:
    """redis-cli moves slots while the command lists again and again."""
    redis_cli = required("redis-cli")
    phones = movable.seed(40_000)
    first, _, third = movable.primaries
    log = tmp_path / "reshard.log"
    with log.open("wb") as stream:
        reshard = subprocess.Popen(
            [
                *(redis_cli, "--cluster", "reshard", first.address, "--cluster-from", first.id),
                *("--cluster-to", third.id, "--cluster-slots", "400", "--cluster-yes"),
            ],
            stdout=stream,
        )
    try:
        runs = 0
        while reshard.poll() is None:
            result = anywhere("session", "list", "-o", "jsonl", "--url", movable.url)
            assert result.status == 0
            listed = [line.split(b'"', 4)[3].decode() for line in result.out.splitlines()]
            assert len(listed) == len(phones)
            assert set(listed) == phones
            runs += 1
        assert reshard.returncode == 0, log.read_text()[-2_000:]
        assert runs > 1
    finally:
        reshard.kill()
        reshard.wait()


def test_a_connection_follows_a_slot_that_has_moved(movable: Cluster) -> None:
    """Its slot map is out of date by then; it follows MOVED and ASK."""
    movable.seed(100)
    key = b"wh:session:+10000000001"
    source = movable.owner_of(key)
    target = next(each for each in movable.primaries if each is not source)
    with store_of(movable) as store:
        assert store.record(key) is not None
        movable.begin_move(slot_of(key), source, target)
        assert store.touch("+10000000001")
        movable.move_keys(slot_of(key), source, target)
        assert store.record(key) is not None
        movable.end_move(slot_of(key), source, target)
        assert store.touch("+10000000001")
        assert store.end("+10000000001")
