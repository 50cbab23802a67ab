"""The failover drill: a primary fails on purpose, and the report is correct."""

import re
import signal
import threading
import time
from datetime import UTC, datetime
from importlib.metadata import version

import pytest
import redis

from pawsctl.connection import probe
from tests.topology_fixtures import Topology

SESSIONS = "wh:session:*"
DEADLINE_SECONDS = 30.0
PASSWORD = "s3cret $HOME"


def _keys(topology: Topology, password: str | None = None) -> list[bytes]:
    found = []
    environment = {"REDIS_PASSWORD": password} if password else None
    for port in topology.ports_of("primary", environment):
        with redis.Redis(port=port, password=password, protocol=2) as client:
            found += [key for key in client.scan_iter(SESSIONS, count=1000) if key]
    return found


def _milliseconds(topology: Topology, environment: dict[str, str]) -> int:
    """Return the topology's timer, as one of its nodes has it."""
    if topology.topology == "cluster":
        (port, *_) = topology.ports_of("replica", environment)
        (reply,) = probe.ask(port, PASSWORD, ("CONFIG", "GET", "cluster-node-timeout"))
        return int(reply[1])
    (port, *_) = topology.ports_of("sentinel", environment)
    (reply,) = probe.ask(port, None, ("SENTINEL", "MASTER", "paws"))
    return int(reply[reply.index(b"down-after-milliseconds") + 1])


@pytest.mark.parametrize("how", ["--kill", "--graceful"])
def test_a_failover_is_measured_and_all_is_whole_afterwards(topology: Topology, how: str) -> None:
    """The failed node is a replica now; sessions from before are left alone.

    The report has the timer that was asked for, which is then the former again.
    """
    timers = {"sentinel": ("--down-after", 30.0), "cluster": ("--node-timeout", 15.0)}
    option, production = timers[topology.topology]
    silence = 3.0 if how == "--kill" else 1.5
    environment = {"REDIS_PASSWORD": PASSWORD}
    topology.up(environment)
    topology.write("wh:session:+1234", "{}", PASSWORD)
    before = topology.roles(environment)

    masked = environment | {"PAWSCTL_MASK": "1"}
    done = topology.run("failover", how, option, f"{silence}s", "--json", env=masked)

    told = done.json
    assert done.status == (0 if told["ok"] else 1), done.err
    assert told["ok"] == (told["lost"] == 0)
    assert datetime.now(UTC) > datetime.fromisoformat(told["begun_at"])
    assert told["server"].startswith("valkey ")
    assert told["pawsctl"] == version("pawsctl")
    assert told["method"] == how.removeprefix("--")
    assert before[told["primary"]] == "primary"
    assert before[told["promoted"]] == "replica"
    if (topology.topology, how) == ("cluster", "--graceful"):
        # It pauses writes meanwhile. SENTINEL FAILOVER may not, and kill -9 does not.
        assert told["lost"] == 0
    assert told["writes"]["acknowledged"] > 0
    assert told["outage"] > (3 if how == "--kill" else 0)
    assert (told["timer"]["seconds"], told["timer"]["production"]) == (silence, production)
    assert _milliseconds(topology, environment) == 1500
    assert (told["outage_elsewhere"] is None) == (topology.topology == "sentinel")
    assert topology.status(environment)["problems"] == []
    roles = topology.roles(environment)
    assert (roles[told["primary"]], roles[told["promoted"]]) == ("replica", "primary")
    assert _keys(topology, PASSWORD) == [b"wh:session:+1234"]
    assert not re.search(r"\+\d|█", done.text + done.err)
    recorded = topology("audit", "list", "--json").json
    assert [each["command"] for each in recorded] == ["redis failover", "redis up"]
    assert recorded[0]["counts"] == {"promoted": 1, "lost": told["lost"]}


def test_a_session_that_is_lost_is_counted(cluster_of_six: Topology) -> None:
    """Here three of the acknowledged ones are deleted."""
    cluster_of_six.up()
    (port, *_) = cluster_of_six.ports_of("primary")[1:]
    deleted: list[bytes] = []

    def delete_three() -> None:
        deadline = time.monotonic() + DEADLINE_SECONDS
        with redis.Redis(port=port, protocol=2) as client:
            while len(deleted) < 3 and time.monotonic() < deadline:
                for key in list(client.scan_iter(SESSIONS, count=1000))[: 3 - len(deleted)]:
                    deleted.extend([key] * client.delete(key))

    thief = threading.Thread(target=delete_three)
    thief.start()
    done = cluster_of_six.run("failover", "--json")
    thief.join()

    assert len(deleted) == 3
    assert (done.status, done.json["ok"], done.json["lost"]) == (1, False, 3)


def test_an_interrupted_drill_mends_and_cleans_up(topology: Topology) -> None:
    """Ctrl-C while the primary is dead: it is restarted, and the drill's sessions are deleted."""
    topology.up()
    drill = topology.start("redis", "failover", "--topology", topology.topology)
    topology.wait_for(lambda found: found["problems"] != [])

    drill.send_signal(signal.SIGINT)
    drill.communicate(timeout=DEADLINE_SECONDS)

    assert drill.returncode == 130
    assert topology.status()["problems"] == []
    assert _keys(topology) == []


def test_a_topology_that_is_not_whole_is_not_drilled(topology: Topology) -> None:
    """The error says what is missing, before anything is done."""
    nothing = topology.run("failover")
    topology.up()
    topology.kill(topology.ports_of("replica")[0])

    degraded = topology.run("failover")

    assert (nothing.status, degraded.status) == (1, 1)
    assert "does not answer" in degraded.err
    assert f"pawsctl redis up --topology {topology.topology}" in degraded.err


def test_where_no_other_can_take_over_it_ends_in_time_and_mends_it(
    cluster_of_six: Topology,
) -> None:
    """The replicas may not be promoted: the killed primary is still restarted, with its data."""
    cluster_of_six.up()
    cluster_of_six.switch_files_off()
    for number in range(12):
        cluster_of_six.write(f"of somebody {number}", "1")
    for port in cluster_of_six.ports_of("replica"):
        probe.ask(port, None, ("CONFIG", "SET", "cluster-replica-no-failover", "yes"))

    done = cluster_of_six.run("failover", "--timeout", "5", "--json")

    assert done.status == 8
    assert "No other took the place of node-1 within 5 s" in done.error["message"]
    assert cluster_of_six.roles()["node-1"] == "primary"
    assert cluster_of_six.status()["problems"] == []
    assert _keys(cluster_of_six) == []
    for number in range(12):
        assert cluster_of_six.copies(f"of somebody {number}") == [b"1", b"1"]


def test_the_single_redis_and_a_url_are_wrong_usage(topology: Topology) -> None:
    """The drill is only for topologies of `redis up --topology`."""
    single = topology("redis", "failover", "--topology", "single")
    none = topology("redis", "failover")
    url = topology.run("failover", "--url", "redis+cluster://example.invalid")

    assert (single.status, none.status, url.status) == (2, 2, 2)
