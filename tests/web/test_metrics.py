"""`/metrics`: what it tells, what it never tells, and what it costs Redis."""

import re
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pawsctl.server import node_state
from tests import servers
from tests.cli_runner import Pawsctl
from tests.conftest import SAMPLES
from tests.servers import Server, store_session
from tests.serving import Served, serving, until

SOUND = (SAMPLES / "greeting.json").read_bytes()


def figures(served: Served) -> dict[str, float]:
    """Scrape, and return each series with its value."""
    answer = served.ask(path="/metrics")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    lines = (line for line in answer.body.decode().splitlines() if not line.startswith("#"))
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def test_sessions_are_counted_and_never_named(pawsctl: Pawsctl, server: Server) -> None:
    """By status, rule and time left; who waits, who is stuck; no phone and no customer's text."""
    now_ms = int(time.time() * 1000)
    store_session(server, "+59899001", SOUND, 50)
    store_session(server, "+59899002", SOUND, None)
    store_session(server, "+59899003", b"{oops", 7_000)
    stuck = (SAMPLES / "stuck" / "killed-in-a-tool.json").read_bytes()
    store_session(server, "+59899004", stuck, 21_000)
    waits = b'{"status":"%s","messages":[{"role":"user","content":"Hola"}],"updatedAt":%d}'
    store_session(server, "+59899005", waits % (b"+59899005", now_ms - 700_000), 21_000)
    with serving(pawsctl) as served:
        found = figures(served)
        body = served.ask(path="/metrics").body.decode()
    node = f'{{node="127.0.0.1:{server.port}"}}'
    expected = {
        "pawsctl_redis_up": 1,
        "pawsctl_scrape_complete": 1,
        "pawsctl_scrape_errors_total": 0,
        'pawsctl_redis_check_ok{check="writes"}': 1,
        "pawsctl_sessions": 5,
        'pawsctl_sessions_by_status{status="unreadable"}': 1,
        'pawsctl_sessions_by_status{status="other"}': 1,
        'pawsctl_sessions_by_problem{rule="json"}': 1,
        'pawsctl_sessions_by_problem{rule="no-ttl"}': 1,
        "pawsctl_sessions_without_ttl": 1,
        "pawsctl_sessions_stuck": 1,
        'pawsctl_session_ttl_seconds_bucket{le="60.0"}': 1,
        'pawsctl_session_ttl_seconds_bucket{le="7200.0"}': 2,
        'pawsctl_session_ttl_seconds_bucket{le="+Inf"}': 4,
        f"pawsctl_redis_memory_limit_bytes{node}": 0,
        f"pawsctl_redis_evicted_keys_total{node}": 0,
        f"pawsctl_redis_replicas{node}": 0,
    }
    assert {name: found.get(name) for name in expected} == expected
    assert found[f"pawsctl_redis_memory_used_bytes{node}"] > 0
    assert found["pawsctl_sessions_waiting"] >= 1
    assert found["pawsctl_oldest_wait_seconds"] >= 700
    assert not re.search("59899|Hola", body)


def test_sessions_of_any_application_are_counted(pawsctl: Pawsctl, server: Server) -> None:
    """Their values are not looked into: only how long they live is right or wrong.

    Nor are they summed up for a phone: to say that there is no session would be wrong.
    """
    server.client.set("sess:a", b"\xff", ex=50)
    server.client.set("sess:b", b"{}")
    server.client.set("wh:session:+1", b"{}")
    env = {"SESSION_PREFIX": "sess:", "SESSION_FORMAT": "raw", "SESSION_TTL": "1h"}
    with serving(pawsctl, env=env | {"NODE_ENV": "development"}) as served:
        found = figures(served)
        refused = served.ask("POST", body=b'{"phone":"b"}')
    assert (refused.status, b"SESSION_FORMAT is raw" in refused.body) == (404, True)
    assert found["pawsctl_sessions"] == 2
    assert found["pawsctl_sessions_unsound"] == found["pawsctl_sessions_without_ttl"] == 1
    assert not [name for name in found if "by_status" in name]
    assert found['pawsctl_session_ttl_seconds_bucket{le="60.0"}'] == 1


def test_scrapers_share_a_pass(pawsctl: Pawsctl, server: Server) -> None:
    """However many ask, the sessions are read once in that time."""
    store_session(server, "+1", SOUND)
    with serving(pawsctl, "--metrics-every", "1h") as served, ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda _: figures(served), range(32)))
        server.client.delete("wh:session:+1")
        later = figures(served)
    assert {each["pawsctl_scrape_timestamp_seconds"] for each in [*found, later]} == {
        later["pawsctl_scrape_timestamp_seconds"]
    }
    assert later["pawsctl_sessions"] == 1


def test_the_log_says_why_there_are_no_figures(pawsctl: Pawsctl, server: Server) -> None:
    """Here the user of the URL may not read the sessions; it is said once."""
    server.client.acl_setuser("few", enabled=True, nopass=True, commands=["+ping"])
    try:
        url = server.url.replace("//", "//few:x@")
        with serving(pawsctl, "--metrics-every", "1ms", env={"REDIS_URL": url}) as served:
            for _ in range(2):
                assert b"pawsctl_scrape_complete 0.0" in served.ask(path="/metrics").body
            served.logged("/metrics has no figures of the sessions: .*NOPERM")
            served.logged("GET /metrics 200.*\n.*GET /metrics 200")
            assert served.log.count("NOPERM") == 1
    finally:
        server.client.acl_deluser("few")


def test_metrics_tell_that_redis_is_gone(tmp_path: Path) -> None:
    """Down or hung, there is an answer, and no figure of the past in it."""
    with servers.running(tmp_path) as server:
        pawsctl = Pawsctl(tmp_path, server.url)
        with serving(pawsctl, "--metrics-every", "1ms", "--timeout", "0.5") as served:
            until(lambda: figures(served)["pawsctl_redis_up"] == 1)
            server.process.send_signal(signal.SIGSTOP)
            hung = figures(served)
            server.process.kill()
            server.process.wait()
            gone = figures(served)
            # A pass is made again after a while.
            until(lambda: figures(served)["pawsctl_scrape_errors_total"] > 0)
    assert (hung["pawsctl_redis_up"], gone["pawsctl_redis_up"]) == (0, 0)
    assert "pawsctl_sessions" not in hung | gone


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, (None, None, None)),
        ({"role": "slave", "master_link_status": "down"}, (0, None, False)),
        (
            {
                "role": "master",
                "master_repl_offset": "100",
                "slave0": "ip=a,port=1,state=online,offset=90,lag=0",
                "slave1": "ip=b,port=2,state=wait_bgsave,offset=0,lag=0",
            },
            (1, 100, None),
        ),
    ],
)
def test_replication_is_read_from_info(
    fields: dict[str, str], expected: tuple[int | None, ...]
) -> None:
    """Replicas that follow, how far the last one is behind, and a replica without its primary."""
    found = node_state.of_fields("a:1", fields)
    assert (found.replicas_online, found.replica_lag, found.is_linked) == expected
