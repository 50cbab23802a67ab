"""Nodes that die or stop answering during a command: a complete result, or a true error."""

import itertools
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from pawsctl.config.redis_url import parse
from pawsctl.connection import Timeouts, connect
from pawsctl.errors import ExitStatus, Partial
from pawsctl.sessions.edit import flush
from pawsctl.sessions.query.filters import Filter
from pawsctl.sessions.smoke.bot import BotSessions
from tests import clusters
from tests.cli_runner import Pawsctl, interrupted, phones_in
from tests.clusters import Cluster
from tests.following import following
from tests.processes import wait_until

# So many that a command has not read them all when the pipe that it prints into is full.
SESSIONS = 40_000


def test_a_primary_killed_in_the_middle_of_list(breakable: Cluster, anywhere: Pawsctl) -> None:
    """Its replica takes over and is scanned: every session is listed once."""
    phones = breakable.seed(SESSIONS)
    result = interrupted(
        anywhere,
        breakable.primaries[1].kill,
        *("session", "list", "-o", "jsonl", "--url", breakable.url),
    )
    assert result.status == ExitStatus.OK, result.err
    listed = phones_in(result)
    assert len(listed) == len(phones)
    assert set(listed) == phones
    assert breakable.primaries[1].address in result.err
    assert "3 of 3 primaries answered" in result.err


def test_a_failover_is_a_gap_in_a_watch(breakable: Cluster, anywhere: Pawsctl) -> None:
    """Both events come at its end: a third of the sessions could not be seen until then."""
    breakable.seed(30)
    url = ("--url", breakable.url, "--interval", "100ms", "--failover-timeout", "60")
    with following(anywhere, "session", "watch", "--json", *url) as watch:
        while "Watching 30 sessions" not in watch.said():
            pass
        breakable.primaries[1].kill()
        lost, back = watch.event(), watch.event()
        assert (lost["event"], lost["timeout"]) == ("disconnected", None)
        assert (back["event"], back["reason"]) == ("reconnected", None)
        assert watch.interrupt() == ExitStatus.INTERRUPTED


def test_a_primary_killed_in_the_middle_of_an_export(
    breakable: Cluster, anywhere: Pawsctl, tmp_path: Path
) -> None:
    """The finished archive has all sessions."""
    phones = breakable.seed(SESSIONS)
    result = interrupted(
        anywhere,
        breakable.primaries[0].kill,
        *("session", "export", "-", "--url", breakable.url),
    )
    assert result.status == ExitStatus.OK, result.err
    assert breakable.primaries[0].address in result.err
    (tmp_path / "a.jsonl").write_bytes(result.out)
    verified = anywhere("session", "verify", "a.jsonl", "--json")
    assert (verified.status, verified.json["sessions"]) == (0, len(phones))


def test_a_primary_killed_in_the_middle_of_flush(breakable: Cluster, anywhere: Pawsctl) -> None:
    """Sessions that its replica still has are deleted too; keys of other applications stay."""
    breakable.seed(SESSIONS)
    for number in range(100):
        key = f"other:{number}"
        breakable.owner_of(key.encode()).client.set(key, "1")
    breakable.wait_for_replicas()
    victim = breakable.primaries[2]
    with BotSessions(connect(parse(breakable.url, origin="a test"), Timeouts(reply=2))) as store:
        deletions = store.unlink()
        counts = (sum(found.values()) for found in deletions)
        for _ in itertools.takewhile(lambda n: n < 8_000, itertools.accumulate(counts)):
            pass
        victim.kill()
        for _ in deletions:
            pass
    listed = anywhere("session", "list", "--json", "--url", breakable.url)
    assert (listed.status, listed.json) == (ExitStatus.OK, [])
    others = sum(member.client.dbsize() for member in breakable.members if member is not victim)
    # A node that is still a replica has the same keys as its primary.
    assert others >= 100


def test_a_paused_primary_is_replaced(breakable: Cluster, anywhere: Pawsctl) -> None:
    """Its sockets stay open but don't answer: its replica is asked after the timeout."""
    phones = breakable.seed(20_000)
    with breakable.primaries[0].paused():
        result = anywhere(
            *("session", "list", "-o", "jsonl", "--url", breakable.url, "--timeout", "1")
        )
        assert result.status == ExitStatus.OK, result.err
        assert sorted(phones_in(result)) == sorted(phones)
        key = next(p for p in phones if breakable.owner_of(_key(p)) is breakable.primaries[0])
        assert anywhere("session", "get", key, "--url", breakable.url).status == ExitStatus.OK


def _key(phone: str) -> bytes:
    return f"wh:session:{phone}".encode()


def test_get_waits_for_the_failover(breakable: Cluster, anywhere: Pawsctl) -> None:
    """The key's primary has just died: the answer comes from its successor."""
    phones = sorted(breakable.seed(300))
    victim = breakable.primaries[0]
    lost = [phone for phone in phones if breakable.owner_of(_key(phone)) is victim]
    victim.kill()
    result = anywhere("session", "get", *lost, "--json", "--url", breakable.url)
    assert result.status == ExitStatus.OK, result.err
    assert [each["phone"] for each in result.json] == lost
    assert "Waiting up to 15 s for a failover" in result.err


@pytest.mark.parametrize("number", [0, 1, 2])
def test_what_is_left_of_a_cluster_is_shown(tmp_path: Path, anywhere: Pawsctl, number: int) -> None:
    """Any primary may be missing, even that of the first slot; no result is called sound."""
    options = ("--cluster-require-full-coverage", "no")
    with clusters.running(tmp_path, *options, replicas=0) as cluster:
        phones = cluster.seed(300)
        victim = cluster.primaries[number]
        victim.kill()
        left = {phone for phone in phones if cluster.owner_of(_key(phone)) is not victim}
        url = ("--url", cluster.url, "--failover-timeout", "1")
        listed = anywhere("session", "list", "--json", *url)
        assert (listed.status, len(listed.json)) == (ExitStatus.PARTIAL, len(left))
        stats = anywhere("session", "stats", "--json", *url)
        assert (stats.status, stats.json["sessions"]) == (ExitStatus.PARTIAL, len(left))
        assert any(f"{victim.address} does not answer" in each for each in stats.json["left_out"])
        lint = anywhere("session", "lint", "--json", *url)
        assert (lint.status, lint.json["ok"]) == (ExitStatus.PARTIAL, False)
        assert (
            "but the check is incomplete"
            in anywhere("session", "lint", "--ignore=tool-result", *url).text
        )
        health = anywhere("health", "--json", *url)
        assert (health.status, health.json["ok"]) == (ExitStatus.FAILED, False)
        assert [each["name"] for each in health.json["checks"] if not each["ok"]] == [
            f"{victim.address} answers"
        ]
        memory = anywhere("redis", "memory", "--json", *url)
        assert (memory.status, len(memory.json["nodes"])) == (ExitStatus.PARTIAL, 2)
        assert memory.json["silent"] == [victim.address]
        exported = anywhere("session", "export", "a.jsonl", *url)
        assert exported.status == ExitStatus.PARTIAL
        assert not (anywhere.folder / "a.jsonl").exists()


def _have_lost(name: str, others: Sequence[clusters.Member]) -> bool:
    """Return whether all of `others` flag the node of that name as failed."""
    lines = [line for each in others for line in each.cluster("NODES").splitlines()]
    flags = [line.split()[2].split(b",") for line in lines if line.startswith(name.encode())]
    return len(flags) == len(others) and all(b"fail" in each for each in flags)


@pytest.mark.slow(35)
@pytest.mark.parametrize("covers_all", ["yes", "no"])
def test_slots_that_nobody_serves_are_named(
    tmp_path: Path, anywhere: Pawsctl, covers_all: str
) -> None:
    """There is no replica: the output is correct, exit 9 names the missing slots."""
    options = ("--cluster-require-full-coverage", covers_all)
    with clusters.running(tmp_path, *options, replicas=0) as cluster:
        phones = cluster.seed(3_000)
        victim = cluster.primaries[1]
        missing = f"the slots {cluster.slots_of(1)[0]}-{cluster.slots_of(1)[-1]} are missing"
        name, others = victim.id, [each for each in cluster.primaries if each is not victim]
        victim.kill()
        wait_until(lambda: _have_lost(name, others), "the others know of it")
        url = ("--url", cluster.url, "--failover-timeout", "3")
        if covers_all == "no":
            left = {phone for phone in phones if cluster.owner_of(_key(phone)) is not victim}
            result = anywhere("session", "list", "-o", "jsonl", *url)
            assert result.status == ExitStatus.PARTIAL
            assert set(phones_in(result)) == left
            assert missing in result.error["message"]
            text = anywhere("session", "list", *url)
            assert text.status == ExitStatus.PARTIAL
            assert len(text.out.splitlines()) == 1 + len(left)
            # Several times: what is tried beforehand may hit the slots of the dead node.
            for _ in range(5):
                flushed = anywhere("session", "flush", "--yes", "--json", *url)
                assert flushed.status == ExitStatus.PARTIAL
                assert missing in flushed.error["message"]
                assert "--no-backup" not in flushed.error["hint"]
        else:
            wait_until(
                lambda: b"cluster_state:fail" in cluster.primaries[0].cluster("INFO"), "failure"
            )
            result = anywhere("session", "list", "-o", "jsonl", *url)
            assert result.status == ExitStatus.PARTIAL
            assert set(phones_in(result)) <= phones
        phone = next(each for each in phones if cluster.owner_of(_key(each)) is victim)
        got = anywhere("session", "get", phone, "--json", *url)
        assert got.status == ExitStatus.UNREACHABLE
        assert "Waited 3 s" in got.error["message"]


def test_a_paused_primary_without_a_replica_ends_in_time(tmp_path: Path, anywhere: Pawsctl) -> None:
    """The command ends within the stated times, and says what is missing."""
    with clusters.running(tmp_path, replicas=0) as cluster:
        cluster.seed(300)
        with cluster.primaries[2].paused():
            times = ("--timeout", "1", "--failover-timeout", "1")
            result = anywhere("session", "ttl", "--json", "--url", cluster.url, *times, timeout=30)
            assert result.status == ExitStatus.PARTIAL
            assert f"{cluster.slots_of(2)[0]}-16383 are missing" in result.error["message"]


def test_a_write_that_may_have_happened_is_told(breakable: Cluster, anywhere: Pawsctl) -> None:
    """The server received the command and did not answer: it is not retried."""
    breakable.seed(100)
    victim = breakable.owner_of(_key("+10000000001"))
    with breakable.primaries[breakable.primaries.index(victim)].paused():
        result = anywhere(
            *("session", "touch", "+10000000001", "--json", "--url", breakable.url),
            *("--timeout", "1"),
        )
    assert result.status == ExitStatus.UNREACHABLE
    assert "No one knows whether it has done EXPIRE" in result.error["message"]


def test_a_flush_that_loses_a_primary_tells_what_no_one_knows(tmp_path: Path) -> None:
    """The primary has received the commands, and runs them when it resumes."""
    sessions = 6_000
    with clusters.running(tmp_path, replicas=0) as cluster:
        cluster.seed(sessions)
        times = Timeouts(reply=1, failover=1)
        with (
            BotSessions(connect(parse(cluster.url, origin="the test"), times)) as store,
            ExitStack() as paused,
        ):
            planned = flush.planned(store, Filter(), include_seen=False, counted=False)

            calls = itertools.count(1)

            def pause(_count: int) -> None:
                # By now each primary has requests that it has not answered.
                if next(calls) == 3:
                    paused.enter_context(cluster.primaries[1].paused())

            with pytest.raises(Partial, match="no one knows") as error:
                flush.flush(store, planned, progress=pause)
        deleted, unknown = error.value.counts["deleted"], error.value.counts["unknown"]
        assert unknown
        wait_until(cluster.primaries[1].client.ping, "the paused primary answers")
        # Of what was sent in several pieces, it may have done a part when it saw the client gone.
        left = sum(each.client.dbsize() for each in cluster.primaries)
        assert sessions - deleted - unknown <= left <= sessions - deleted


def test_no_node_answers(anywhere: Pawsctl) -> None:
    """Every address is named with its reason, without delay."""
    first, second = (f"127.0.0.1:{port}" for port in (1, 2))
    result = anywhere("session", "list", "--json", "--url", f"redis+cluster://{first},{second}")
    assert result.status == ExitStatus.UNREACHABLE
    assert first in result.error["message"]
    assert second in result.error["message"]
    assert "refused" in result.error["message"]


def test_a_dead_node_in_the_url_is_passed_over(cluster: Cluster, anywhere: Pawsctl) -> None:
    """So is one that drops packets, after a second."""
    cluster.seed(10)
    with clusters.swallowing() as port:
        hosts = f"127.0.0.1:1,127.0.0.1:{port},{cluster.primaries[0].address}"
        result = anywhere("session", "list", "--json", "--url", f"redis+cluster://{hosts}")
    assert (result.status, len(result.json)) == (ExitStatus.OK, 10)


def test_two_passes_at_once_share_no_socket(cluster: Cluster) -> None:
    """A pass may stay open while other commands are sent."""
    phones = cluster.seed(5_000)
    with BotSessions(connect(parse(cluster.url, origin="a test"))) as store:
        seen = set()
        for number, record in enumerate(store.records()):
            seen.add(record.key)
            if number % 500 == 0:
                assert store.touch(record.key.decode().removeprefix("wh:session:"))
        assert len(seen) == len(phones)
