"""Topologies on one machine as processes: formed, kept through stops, and taken down."""

import gzip
import json
import shutil
import signal
import socket
import time
from pathlib import Path

import pytest
from redis.cluster import RedisCluster
from redis.sentinel import Sentinel

from pawsctl.connection import probe
from pawsctl.errors import ExitStatus
from tests.processes import wait_until
from tests.running_command import Running
from tests.stack_fixtures import Stack
from tests.topology_fixtures import Topology, free_base, port_of

SESSION = "wh:session:+1234"
SECRET = "s3cret $HOME 'x'"


def test_up_returns_when_all_is_whole(whole: Topology) -> None:
    """Every replica is connected, and all nodes know each other."""
    found = whole.status()

    assert (found["serves"], found["problems"]) == (True, [])
    assert {each["state"] for each in found["services"]} == {"running"}
    roles = sorted(each["role"] for each in found["services"])
    if whole.topology == "cluster":
        assert roles == ["primary"] * 3 + ["replica"] * 3
        assert found["quorum"] is None
        slots = [each["slots"] for each in found["services"] if each["role"] == "primary"]
        assert slots == [["0-5460"], ["5461-10921"], ["10922-16383"]]
    else:
        assert roles == ["primary"] + ["replica"] * 2 + ["sentinel"] * 3
        assert found["quorum"] == {"sentinels": 3, "agreeing": 3, "needed": 2}


def test_replicas_name_their_primary_and_how_far_behind_they_are(whole: Topology) -> None:
    """The lag is in bytes, and in seconds since they last heard from it."""
    services = whole.status()["services"]

    primaries = {each["service"] for each in services if each["role"] == "primary"}
    replicas = [each for each in services if each["role"] == "replica"]
    assert {each["primary"] for each in replicas} == primaries
    for each in replicas:
        assert each["lag"]["bytes"] >= 0
        assert each["lag"]["seconds"] >= 0


def test_the_url_is_one_that_clients_follow(whole: Topology) -> None:
    """An SDK client finds every node from it, under the addresses that they announce."""
    url = whole.up()["url"]

    addresses = url.partition("://")[2].partition("/")[0].split(",")
    ports = [int(each.partition(":")[2]) for each in addresses]
    if whole.topology == "cluster":
        assert url.startswith("redis+cluster://127.0.0.1:")
        client = RedisCluster(host="127.0.0.1", port=ports[0])
        client.set("a", "1")
        client.set("b", "2")
        assert (client.get("a"), client.get("b")) == (b"1", b"2")
        client.close()
    else:
        assert url.endswith("/paws")
        sentinel = Sentinel([("127.0.0.1", port) for port in ports])
        with sentinel.master_for("paws") as primary:
            primary.set("a", "1")
            assert primary.get("a") == b"1"
        for each in sentinel.sentinels:
            each.close()


def test_a_second_up_changes_nothing(whole: Topology) -> None:
    """`up` is safe to repeat."""
    before = whole.roles()

    again = whole.up()

    assert {each["action"] for each in again["services"]} == {"running"}
    assert whole.roles() == before


def test_status_in_text_shows_who_replicates_whom(whole: Topology) -> None:
    """The text is for people."""
    done = whole.run("status")

    assert done.status == 0
    assert "replica of " in done.text
    assert ("0-5460" if whole.topology == "cluster" else "3 of 3 Sentinels agree") in done.text


def test_status_has_the_keys_that_scripts_rely_on(whole: Topology) -> None:
    """The keys of the single Redis, and those of topologies."""
    found = whole.status()

    assert list(found)[:3] == ["engine", "url", "services"]
    assert list(found["services"][0])[:6] == [
        "service",
        "name",
        "state",
        "health",
        "ports",
        "uptime",
    ]


def test_logs_of_all_or_of_one(whole: Topology) -> None:
    """Each line begins with its service."""
    services = {each["service"] for each in whole.status()["services"]}
    one = min(services)

    told = whole.run("logs").text.splitlines()
    of_one = whole.run("logs", one, "-n", "1").text.splitlines()
    unknown = whole.run("logs", "redis-9")

    assert {line.split()[0] for line in told} == services
    assert [line.split()[0] for line in of_one] == [one]
    assert unknown.status == 2


def test_it_runs_beside_the_single_redis(whole: Topology) -> None:
    """The commands of one do not affect the other, and they share no port."""
    assert whole("redis", "status").status == 1

    up = whole("redis", "up")
    down = whole("redis", "down", "--volumes", "--yes")

    assert (up.status, down.status) == (0, 0)
    assert whole.status()["problems"] == []


def test_data_and_roles_are_there_after_down_and_up(whole: Topology) -> None:
    """`down` keeps the data, and which primary a node replicates; its file may be off."""
    whole.switch_files_off()
    whole.write("kept", "1")
    before = whole.roles()

    down = whole.run("down")
    between = whole.run("status", "--json")
    whole.up()

    assert down.status == 0
    assert whole.processes() != []
    assert (between.status, between.json["serves"]) == (1, False)
    assert {each["state"] for each in between.json["services"]} == {"absent"}
    assert whole.roles() == before
    assert whole.copies("kept") == [b"1"] * (2 if whole.topology == "cluster" else 3)


def test_a_failover_before_down_counts_after_up(topology: Topology) -> None:
    """The old primary returns as a replica: newer data is not overwritten."""
    topology.up()
    killed = topology.ports_of("primary")[0]
    topology.kill(killed)
    topology.wait_for(
        lambda found: (
            found["serves"]
            and killed not in [port_of(e) for e in found["services"] if e["role"] == "primary"]
        )
    )
    topology.write("after the failover", "1")
    primaries = set(topology.ports_of("primary"))

    topology.run("down")
    topology.up()

    assert killed in topology.ports_of("replica")
    assert set(topology.ports_of("primary")) == primaries
    assert topology.copies("after the failover") == [b"1"] * (
        2 if topology.topology == "cluster" else 3
    )


def test_a_primary_whose_data_was_removed_empties_no_other(topology: Topology) -> None:
    """Its replicas hold all of it, and would have copied a new server that has nothing."""
    topology.up()
    topology.write("kept", "1")
    held = topology.copies("kept")
    (first, *_) = [each for each, role in topology.roles().items() if role == "primary"]
    assert topology.run("down").status == 0
    (data,) = topology.folder.glob(f"state/**/{first}/data")
    shutil.rmtree(data)

    up = topology.run("up")

    assert up.status == 0, up.err
    assert "is gone. The other nodes start first" in up.err
    assert topology.status()["problems"] == []
    assert topology.copies("kept") == held


def test_a_node_that_died_is_told_and_up_brings_it_back(whole: Topology) -> None:
    """status exits with 0 while writes work, and says what is missing."""
    replica = whole.ports_of("replica")[-1]
    whole.kill(replica)

    degraded = whole.run("status", "--json")
    up = whole.up()

    assert degraded.status == 0
    assert any("does not answer" in each for each in degraded.json["problems"])
    assert [each["action"] for each in up["services"]].count("started") == 1
    assert whole.status()["problems"] == []


def test_what_was_stopped_starts_again(whole: Topology) -> None:
    """`stop` and `start` are a pair."""
    whole.write("kept", "1")

    stopped = whole.run("stop", "--json")
    assert whole.processes() == []
    started = whole.run("start", "--json")

    assert len(stopped.json["stopped"]) == 6
    assert {each["action"] for each in started.json["services"]} == {"started"}
    assert b"1" in whole.copies("kept")


def test_a_topology_that_lacks_a_node_is_neither_stopped_nor_waited_for(
    sentinels: Topology,
) -> None:
    """Somebody has removed a node: `restart` and `start` do not create one, and `up` does."""
    sentinels.up()
    (record,) = sentinels.folder.glob("state/pawsctl/*/*/embedded/redis-2/server.json")
    sentinels.kill(sentinels.port + 2)
    record.unlink()

    for command in ("restart", "start"):
        done = sentinels.run(command, "--json")
        assert done.status == ExitStatus.FAILED
        assert "redis-2 must be created first. Nothing was changed." in done.error["message"]
        assert "redis up --topology sentinel" in done.error["hint"]
    assert len(sentinels.processes()) == 5
    assert sentinels.up()["services"][1]["action"] == "created"


def test_replicas_of_ones_own_topology_are_no_evidence_of_production(whole: Topology) -> None:
    """They are for another project, and NODE_ENV is for this one too."""
    url = whole.up()["url"]
    delete = ("session", "delete", "+1", "--url", url)
    assert whole(*delete).status == ExitStatus.NO_SESSION
    other = whole(*delete, env={"PAWSCTL_PROJECT": "pawsctl-test-another"})
    assert other.status == ExitStatus.NOT_CONFIRMED
    name = "paws" if whole.topology == "sentinel" else "127.0.0.1"
    assert f"--confirm {name}" in other.err
    assert whole(*delete, env={"NODE_ENV": "production"}).status == ExitStatus.NOT_CONFIRMED
    named = whole(*delete, "--confirm", name, env={"NODE_ENV": "production"})
    assert named.status == ExitStatus.NO_SESSION


def test_reset_and_down_with_volumes_delete_the_data_after_asking(topology: Topology) -> None:
    """`reset` exports the sessions first and forms an empty topology."""
    topology.up()
    topology.write(SESSION, "{}")

    asked = topology.run("reset")
    assert (asked.status, b"{}" in topology.copies(SESSION)) == (3, True)
    assert "(1 key)" in asked.err
    reset = topology.run("reset", "--yes", "--json")
    assert reset.status == 0, reset.err
    assert b"+1234" in gzip.decompress(Path(reset.json["backup"]).read_bytes())
    assert topology.copies(SESSION) == []
    assert topology.status()["problems"] == []
    down = topology.run("down", "--volumes", "--yes", "--json")

    assert len(down.json["removed"]) == 12
    assert topology.processes() == []


@pytest.mark.parametrize("number", [0, -1])
def test_a_port_in_use_is_named_and_nothing_left(topology: Topology, number: int) -> None:
    """This holds for the first server that is started and for the last."""
    url = topology.status()["url"].partition("://")[2].partition("/")[0]
    port = int(url.split(",")[number].rpartition(":")[2])
    # create_server sets SO_REUSEADDR: connections of an earlier server may linger on the port.
    with socket.create_server(("127.0.0.1", port)):
        done = topology.run("up")

    assert done.status == 7
    assert f"Port {port} on 127.0.0.1 is in use by" in done.err
    service = {"cluster": ("node-1", "node-6"), "sentinel": ("sentinel-1", "sentinel-3")}
    need = f"{service[topology.topology][number]} needs it, which is REDIS_PORT + "
    assert need + str(port - topology.port) in " ".join(done.err.split())
    assert topology.processes() == []
    assert {each["state"] for each in topology.status()["services"]} == {"absent"}


def _up_that_starts_servers(topology: Topology) -> Running:
    """Start an `up`, and wait until it has started a server or has ended."""
    up = topology.start("redis", "up", "--topology", topology.topology)
    wait_until(lambda: bool(topology.processes()) or up.poll() is not None, "a server starts")
    return up


@pytest.mark.parametrize("delay", [0, 0.2, 0.8])
def test_an_interrupted_up_leaves_all_or_nothing(topology: Topology, delay: float) -> None:
    """While processes start, and while they find each other."""
    up = _up_that_starts_servers(topology)
    time.sleep(delay)
    up.send_signal(signal.SIGINT)
    up.communicate(timeout=30)

    if up.returncode == 0:
        assert topology.status()["problems"] == []
    else:
        assert up.returncode == ExitStatus.INTERRUPTED
        assert topology.processes() == []
        assert {each["state"] for each in topology.status()["services"]} == {"absent"}


def test_an_interrupted_up_keeps_the_data_that_was_there(topology: Topology) -> None:
    """`up` removes only what it created itself."""
    topology.up()
    topology.write("kept", "1")
    topology.run("down")
    up = _up_that_starts_servers(topology)
    up.send_signal(signal.SIGINT)
    up.communicate(timeout=30)

    topology.up()

    assert b"1" in topology.copies("kept")


def test_all_nodes_ask_for_the_password_which_shows_nowhere(topology: Topology) -> None:
    """It is in no process list and no output; Sentinels need none."""
    environment = {"REDIS_PASSWORD": SECRET}

    up = topology.run("up", "-v", env=environment)
    status = topology.run("status", env=environment)
    lists = [each.cmdline() for each in topology.processes()]

    assert (up.status, status.status) == (0, 0), up.err
    for told in (up.text, up.err, status.text, str(lists)):
        assert "s3cret" not in told
    for port in topology.ports_of("primary", environment):
        assert probe.ping(port, None).startswith("NOAUTH")


def test_a_password_that_changes_reaches_everyone(topology: Topology) -> None:
    """Replicas and Sentinels get it, too; the data is kept."""
    topology.up({"REDIS_PASSWORD": "first"})
    topology.write("kept", "1", "first")

    done = topology.up({"REDIS_PASSWORD": SECRET})
    copies = topology.copies("kept", SECRET)
    open_again = topology.up()

    changed = [each["changed"] for each in done["services"] if each["changed"]]
    assert changed == [["password"]] * (6 if topology.topology == "cluster" else 3)
    assert b"1" in copies
    assert b"1" in topology.copies("kept")
    assert open_again["engine"] == "embedded"


def test_data_of_other_ports_is_refused_in_so_many_words(topology: Topology) -> None:
    """Nodes store each other's addresses; the data is left unchanged."""
    topology.up()
    topology.write("kept", "1")
    topology.run("down")

    other = str(free_base(topology.topology))
    done = topology.run("up", env={"REDIS_PORT": other})
    assert topology.processes() == []
    topology.up()

    assert done.status == 1
    assert "Set REDIS_PORT back" in done.err
    assert "Nothing of it runs now." in " ".join(done.err.split())
    assert b"1" in topology.copies("kept")


def test_a_redis_port_that_leaves_no_room_is_wrong_usage(bare_stack: Stack) -> None:
    """The Sentinels' ports are 20000 higher."""
    done = bare_stack(
        "redis", "up", "--topology", "sentinel", "--json", env={"REDIS_PORT": "60000"}
    )

    assert done.status == 2
    assert "REDIS_PORT" in json.loads(done.err.splitlines()[-1])["error"]["hint"]
