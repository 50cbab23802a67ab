"""The primary that Sentinels name: found, followed, and told apart from other servers."""

import itertools
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from pawsctl.config.redis_url import parse
from pawsctl.connection import Timeouts, connect
from pawsctl.connection.scan import one_server
from pawsctl.errors import ExitStatus, OperationFailed, RedisUnreachable
from pawsctl.sessions.edit import flush, seed
from pawsctl.sessions.query.filters import Filter
from pawsctl.sessions.smoke.bot import BotSessions
from tests import clusters, sentinels
from tests.cli_runner import Pawsctl, Result, interrupted, phones_in
from tests.following import following
from tests.processes import Process, wait_until
from tests.sentinels import SERVICE, Trio

# So many that a command has not read them all when the pipe that it prints into is full.
SESSIONS = 40_000


def test_every_command_works(trio: Trio, anywhere: Pawsctl) -> None:
    """Reading, the flow with its writes, and flush, all by one URL."""
    phones = trio.seed(1_000)
    url = ("--url", trio.url)
    listed = anywhere("session", "list", "-o", "jsonl", *url)
    assert (listed.status, set(phones_in(listed))) == (0, phones)
    assert anywhere("session", "get", "+10000000001", *url).status == 0
    assert anywhere("session", "ttl", "--check", *url).status == 0
    assert anywhere("session", "stats", *url).status == 0
    assert anywhere("redis", "memory", *url).status == 0
    healthy = anywhere("health", "--json", *url)
    assert (healthy.status, healthy.json["url"]) == (0, trio.url)
    assert healthy.json["checks"][0]["name"] == f"{trio.primary.address} answers"
    assert anywhere("doctor", *url).status == 0
    flow = anywhere("test-session", "--json", *url)
    assert (flow.status, flow.json["ok"]) == (0, True)
    assert flow.json["target"] == trio.url
    flushed = anywhere("session", "flush", "--confirm", SERVICE, "--json", *url)
    assert (flushed.status, flushed.json["deleted"]) == (0, 1_000)


def test_production_is_known_by_its_other_sentinels_and_its_primary(
    trio: Trio, anywhere: Pawsctl, tmp_path: Path
) -> None:
    """A profile names one Sentinel or the primary; the URL another Sentinel of the service."""
    trio.seed(1)
    own = tmp_path / ".config" / "pawsctl" / "pawsctl.toml"
    own.parent.mkdir(parents=True)
    url = trio.url_of(trio.sentinels[1].address)
    for place in (trio.url_of(trio.sentinels[0].address), f"redis://{trio.primary.address}"):
        own.write_text(f'[profiles.prod]\nurl = "{place}"\nproduction = true\n')
        refused = anywhere("session", "flush", "--yes", "--url", url)
        assert refused.status == ExitStatus.NOT_CONFIRMED
        assert f"at the place of profile prod in {own}:3" in refused.err
    own.write_text(
        "[profiles.prod]\nproduction = true\n"
        f'url = "{trio.url_of(trio.sentinels[1].address).replace(SERVICE, "another")}"\n'
    )
    refused = anywhere("session", "flush", "--yes", "--url", url)
    assert "at the place of" not in refused.err


def test_lettuces_url_is_understood(trio: Trio, anywhere: Pawsctl) -> None:
    """redis-sentinel://host?sentinelMasterId=SERVICE."""
    url = f"redis-sentinel://{trio.sentinels[1].address}?sentinelMasterId={SERVICE}"
    assert anywhere("session", "list", "--json", "--url", url).json == []


def test_a_primary_killed_in_the_middle_of_list(breakable: Trio, anywhere: Pawsctl) -> None:
    """The new primary is scanned from the start, and every session is listed once."""
    phones = breakable.seed(SESSIONS)
    result = interrupted(
        anywhere,
        breakable.primary.kill,
        *("session", "list", "-o", "jsonl", "--url", breakable.url),
    )
    assert result.status == ExitStatus.OK, result.err
    listed = phones_in(result)
    assert len(listed) == len(phones)
    assert set(listed) == phones
    assert "Waiting up to 15 s for a failover" in result.err


@pytest.mark.parametrize("phone", [(), ("+10000000000",)], ids=["all", "one"])
def test_a_failover_is_a_gap_in_a_watch(
    breakable: Trio, anywhere: Pawsctl, phone: tuple[str, ...]
) -> None:
    """Both events come at its end, and stderr says at once that it is waited for."""
    breakable.seed(1)
    url = ("--url", breakable.url, "--interval", "100ms", "--failover-timeout", "60")
    with following(anywhere, "session", "watch", *phone, "--json", *url) as watch:
        watch.event() if phone else watch.said()
        breakable.primary.kill()
        assert "Waiting up to 60 s for a failover" in watch.told()
        lost, back = watch.event(), watch.event()
        assert (lost["event"], lost["timeout"]) == ("disconnected", None)
        assert breakable.servers[0].address in lost["reason"]
        assert back["event"] == "reconnected"
        assert lost["time"] < back["time"]
        breakable.primary.client.delete("wh:session:+10000000000")
        assert watch.event()["event"] == "deleted"
        assert watch.interrupt() == ExitStatus.INTERRUPTED


def test_a_primary_killed_in_the_middle_of_flush(breakable: Trio, anywhere: Pawsctl) -> None:
    """Sessions that the new primary still has are deleted too."""
    breakable.seed(SESSIONS)
    with BotSessions(connect(parse(breakable.url, origin="a test"))) as store:
        deletions = store.unlink()
        assert next(deletions)["string"] > 0
        breakable.primary.kill()
        for _ in deletions:
            pass
    listed = anywhere("session", "list", "--json", "--url", breakable.url)
    assert (listed.status, listed.json) == (ExitStatus.OK, [])


def test_a_paused_primary_is_replaced(breakable: Trio, anywhere: Pawsctl) -> None:
    """Reads continue on the new one; a write in transit is reported, not retried."""
    breakable.seed(100)
    url = ("--url", breakable.url, "--timeout", "1")
    with breakable.primary.paused():
        touched = anywhere("session", "touch", "+10000000001", "--json", *url)
        if touched.status != ExitStatus.OK:
            # Sentinel still named it, so the command went to a server that did not answer.
            assert touched.status == ExitStatus.UNREACHABLE
        assert anywhere("session", "get", "+10000000001", *url).status == ExitStatus.OK


def test_a_write_that_may_have_happened_is_told(breakable: Trio) -> None:
    """The primary stops answering between the connection and the command."""
    breakable.seed(10)
    primary = breakable.primary
    told: list[str] = []
    timeouts = Timeouts(reply=1)
    connection = connect(parse(breakable.url, origin="a test"), timeouts, notice=told.append)
    with BotSessions(connection) as store:
        assert store.touch("+10000000001")
        with primary.paused():
            with pytest.raises(RedisUnreachable, match="No one knows whether it has done EXPIRE"):
                store.touch("+10000000002")
            # The next command finds the next primary.
            assert store.touch("+10000000003")


def test_a_flush_through_a_failover_deletes_everything(breakable: Trio) -> None:
    """Commands that the old primary never answered are sent again to the new one.

    A batch under way may have been done, and passed on to the new one, when the old one stops: then
    nobody knows who deleted it.
    """
    breakable.seed(5_000)
    calls = itertools.count(1)
    connection = connect(parse(breakable.url, origin="a test"), Timeouts(reply=1))
    with BotSessions(connection) as store, ExitStack() as paused:
        planned = flush.planned(store, Filter(), include_seen=False, counted=False)

        def pause(_count: int) -> None:
            if next(calls) == 3:
                paused.enter_context(breakable.primary.paused())

        flushed = flush.flush(store, planned, progress=pause)
        assert flushed.deleted + flushed.unknown >= 5_000
        assert flushed.unknown <= 2 * one_server.WRITTEN
        assert store.count() == {}


@pytest.mark.slow(15)
def test_a_demoted_primary_is_left(breakable: Trio) -> None:
    """A command that a replica refuses was not run, so it goes to the new primary."""
    breakable.seed(10)
    old = breakable.primary
    with BotSessions(connect(parse(breakable.url, origin="a test"))) as store:
        assert store.touch("+10000000001")
        sentinel = breakable.sentinels[0].client

        def begins() -> bool:
            return bool(sentinel.execute_command("SENTINEL FAILOVER", SERVICE))

        def demote(_count: int) -> None:
            # On a busy machine a Sentinel may not have heard of the replica for a while.
            wait_until(begins, "a failover begins")
            wait_until(lambda: old.client.role()[0] == b"slave", "a demotion")

        # All were written, and nobody knows whether the old one had passed on the last of them.
        with pytest.raises(OperationFailed, match=f"{old.address} is not the primary any more"):
            seed.seed(store, 3, number=1, progress=demote)
        assert store.touch("+10000000002")
        assert store.end("+10000000003")


def test_sentinels_that_lie_down_cost_a_second_each(trio: Trio, anywhere: Pawsctl) -> None:
    """One is dead, one drops packets, one is paused: the fourth answers."""
    trio.seed(3)
    with clusters.swallowing() as port, trio.sentinels[0].paused():
        hosts = ("127.0.0.1:1", f"127.0.0.1:{port}", trio.sentinels[0].address)
        url = trio.url_of(",".join((*hosts, trio.sentinels[1].address)))
        begun = time.monotonic()
        result = anywhere("session", "list", "--json", "--url", url)
        assert time.monotonic() - begun < 10
    assert (result.status, len(result.json)) == (0, 3)


def test_no_sentinel_answers(anywhere: Pawsctl) -> None:
    """Each is named with its reason."""
    url = f"redis+sentinel://127.0.0.1:1,127.0.0.1:2/{SERVICE}"
    result = anywhere("session", "list", "--json", "--url", url)
    assert result.status == ExitStatus.UNREACHABLE
    assert "None of 2 Sentinels can be reached" in result.error["message"]
    assert "127.0.0.1:2" in result.error["message"]


def test_an_unknown_service_is_told_with_those_there_are(trio: Trio, anywhere: Pawsctl) -> None:
    """This makes a typing error obvious."""
    url = f"redis+sentinel://{trio.sentinels[0].address}/pawz"
    result = anywhere("session", "list", "--json", "--url", url)
    assert result.status == ExitStatus.UNREACHABLE
    assert "'pawz'" in result.error["message"]
    assert SERVICE in result.error["hint"]


def test_a_redis_is_no_sentinel(trio: Trio, anywhere: Pawsctl) -> None:
    """The URL has a server's port instead of a Sentinel's."""
    result = anywhere("session", "list", "--json", "--url", trio.url_of(trio.primary.address))
    assert result.status == ExitStatus.UNREACHABLE
    assert "is a Redis and no Sentinel" in result.error["message"]


def test_a_primary_that_nobody_replaces(tmp_path: Path, anywhere: Pawsctl) -> None:
    """The Sentinels still name it when the time for a failover is over."""
    with sentinels.running(tmp_path, failover=False) as trio:
        trio.primary.kill()
        result = anywhere(
            *("session", "list", "--json", "--url", trio.url, "--failover-timeout", "1")
        )
    assert result.status == ExitStatus.UNREACHABLE
    assert trio.servers[0].address in result.error["message"]
    assert "No other took its place within 1 s" in result.error["message"]


@pytest.mark.parametrize("alive", [3, 1])
def test_health_without_a_primary_blames_no_sentinel(
    tmp_path: Path, anywhere: Pawsctl, alive: int
) -> None:
    """Its one time for everything ends while it waits; those that answer are not called dead."""
    with sentinels.running(tmp_path, failover=False) as trio:
        trio.primary.kill()
        for sentinel in trio.sentinels[alive:]:
            sentinel.kill()
        junit = tmp_path / "report.xml"
        words = ("--json", "--url", trio.url, "--timeout", "3", "--junit", str(junit))
        result = anywhere("health", *words)
    assert result.status == ExitStatus.UNREACHABLE
    told = f"Sentinel names {trio.servers[0].address} as the primary of {SERVICE}."
    assert result.error["message"].startswith(told), result.err
    assert "No other took its place within 2.4 s" in result.error["message"]
    assert "Sentinels can be reached" not in result.err
    assert told in junit.read_text()


def test_reads_go_to_a_replica_that_is_told_of(trio: Trio, anywhere: Pawsctl) -> None:
    """With --prefer-replica the primary gets no command that a replica can answer."""
    phones = trio.seed(200)
    before = trio.primary.client.info("commandstats").get("cmdstat_scan", {"calls": 0})["calls"]
    result = anywhere("session", "list", "--json", "--url", trio.url, "--prefer-replica")
    assert (result.status, {each["phone"] for each in result.json}) == (0, phones)
    assert "which may lag behind the primary" in result.err
    after = trio.primary.client.info("commandstats").get("cmdstat_scan", {"calls": 0})["calls"]
    assert after == before
    flow = anywhere("session", "touch", "+10000000001", "--url", trio.url, "--prefer-replica")
    assert flow.status == 0
    assert "reads from the primary too" in flow.err
    flushed = anywhere(
        *("session", "flush", "--confirm", SERVICE, "--json"),
        *("--url", trio.url, "--prefer-replica"),
    )
    assert (flushed.status, flushed.json["deleted"]) == (0, 200)


def test_sentinels_lead_a_read_only_connection(trio: Trio, anywhere: Pawsctl) -> None:
    """The primary and a replica are found and read; a write is refused."""
    trio.seed(5)
    for option in ((), ("--prefer-replica",)):
        read = anywhere("session", "list", "--json", "--read-only", "--url", trio.url, *option)
        assert (read.status, len(read.json)) == (ExitStatus.OK, 5), read.err
    touched = anywhere("session", "touch", "+10000000001", "--url", trio.url, "--read-only")
    assert touched.status == ExitStatus.NOT_CONFIRMED


def test_passwords_of_servers_and_of_sentinels(tmp_path: Path, anywhere: Pawsctl) -> None:
    """Each has its own; an error names where a password is wrong, and never shows it."""
    with sentinels.running(tmp_path, password="s3rver", sentinel_password="w4tch") as trio:
        hosts = ",".join(sentinel.address for sentinel in trio.sentinels)
        query = "?sentinel_password="

        def listed(login: str, sentinel_password: str) -> Result:
            url = trio.url_of(hosts, login=login, query=query + sentinel_password)
            return anywhere("session", "list", "--json", "--url", url)

        assert listed(":s3rver@", "w4tch").json == []
        wrong_server = listed(":wr0ng@", "w4tch")
        assert wrong_server.status == ExitStatus.UNREACHABLE
        assert wrong_server.error["code"] == "login-refused"
        assert trio.primary.address in wrong_server.error["message"]
        wrong_sentinel = listed(":s3rver@", "wr0ng")
        assert wrong_sentinel.error["code"] == "login-refused"
        assert "Sentinel" in wrong_sentinel.error["message"]
        assert "sentinel_password" in wrong_sentinel.error["hint"]
        none = anywhere("session", "list", "--json", "--url", trio.url_of(hosts))
        assert none.error["code"] == "login-refused"
        for result in (wrong_server, wrong_sentinel):
            assert "wr0ng" not in result.err
            assert "s3rver" not in result.err
            assert "w4tch" not in result.err


def _may_not_ask(sentinel: Process, *, counts: bool) -> None:
    """Have a user as Redis's documentation makes one for clients, who may not send CKQUORUM."""
    counting = ["+sentinel|sentinels", "+sentinel|master"] if counts else []
    rules = ["reset", "on", ">x", "&*", "+ping", "+sentinel|get-master-addr-by-name", *counting]
    sentinel.client.execute_command("ACL", "SETUSER", "client", *rules)


def test_retries_wait_no_longer_for_a_failover(tmp_path: Path, anywhere: Pawsctl) -> None:
    """Their time ends before that for a failover, and it is their option that waits longer."""
    with sentinels.running(tmp_path, failover=False) as trio:
        trio.primary.kill()
        flow = anywhere("test-session", "--retry-for", "1s", "--url", trio.url)
        check = anywhere("health", "--wait", "1s", "--url", trio.url)
    assert (flow.status, check.status) == (ExitStatus.UNREACHABLE, ExitStatus.UNREACHABLE)
    assert "No other took its place within 1 s." in flow.err
    assert "--retry-for waits longer." in flow.err
    assert "--wait waits longer." in check.err


def test_sentinels_too_few_for_a_failover_are_no_health(breakable: Trio, anywhere: Pawsctl) -> None:
    """The primary serves; if it fails, nobody takes its place."""
    url = ("--json", "--url", breakable.url)
    asked = anywhere("health", "--only", "failover", *url)
    assert (asked.status, len(asked.json["checks"])) == (ExitStatus.OK, 1)
    for sentinel in breakable.sentinels[1:]:
        sentinel.kill()

    def is_noticed() -> bool:
        return anywhere("health", *url).status == ExitStatus.FAILED

    wait_until(is_noticed, "the last Sentinel to miss the others")
    _may_not_ask(breakable.sentinels[0], counts=True)
    hosts = breakable.sentinels[0].address
    query = "?sentinel_username=client&sentinel_password=x"
    client = ("--json", "--url", breakable.url_of(hosts, query=query))
    counted = anywhere("health", *client)
    assert counted.status == ExitStatus.FAILED
    assert "1 usable Sentinel of 3, and 2 are needed" in counted.json["checks"][-1]["detail"]
    _may_not_ask(breakable.sentinels[0], counts=False)
    assert anywhere("health", *client).status == ExitStatus.OK
    untold = anywhere("health", "--only", "failover", *client)
    assert untold.status == ExitStatus.FAILED
    assert "this user may not ask" in untold.json["checks"][0]["detail"]
    (broken,) = [each for each in anywhere("health", *url).json["checks"] if not each["ok"]]
    assert broken["name"] == "the Sentinels can begin a failover"
    assert "usable Sentinel" in broken["detail"]
    told = anywhere("doctor", *url)
    assert told.status == ExitStatus.FAILED
    assert "failed" in [
        each["state"] for each in told.json["findings"] if each["name"] == broken["name"]
    ]
    assert [each["state"] for each in told.json["findings"] if each["name"] == "sessions"] == ["ok"]
    breakable.primary.kill()
    lost = anywhere("session", "list", "--failover-timeout", "0.5", *url)
    assert lost.status == ExitStatus.UNREACHABLE
    assert "usable Sentinel" in lost.error["message"]
    assert "Start the missing Sentinels" in lost.error["hint"]
    assert "waits longer" not in lost.error["hint"]
