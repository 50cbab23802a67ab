"""`status` of a Redis that runs and can't do its work: it loads its data, or can't save it."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import redis

from pawsctl.stack.engine.embedded.server_process import program
from tests import embedded_servers
from tests.processes import wait_until
from tests.stack_fixtures import Stack
from tests.topology_fixtures import Topology

KEYS = 4_000
# Loading takes longer than any test: 5 ms for each key.
SLOWLY = ("--key-load-delay", "5000", "--loading-process-events-interval-bytes", "1024")


def _home(stack: Stack) -> Path:
    return stack.folder / "state/pawsctl" / stack.project / "embedded"


@pytest.fixture
def loading(embedded_stack: Stack) -> Iterator[Stack]:
    """A stack whose Redis was started again and loads its data."""
    assert embedded_stack("redis", "up").status == 0
    with embedded_stack.client() as client:
        client.mset({f"key {number}": "1" for number in range(KEYS)})
        # As single keys in the file.
        client.bgrewriteaof()
        wait_until(lambda: _is_written(client), "the file is written anew")
    (server,) = embedded_servers.servers_below(embedded_stack.folder)
    embedded_servers.kill(server)
    file = _home(embedded_stack) / "server.json"
    record = json.loads(file.read_text())
    with subprocess.Popen(
        [program(), *record["arguments"], *SLOWLY],
        cwd=file.parent / "data",
        stdout=subprocess.DEVNULL,
    ) as process:
        try:
            started = psutil.Process(process.pid).create_time()
            file.write_text(json.dumps(record | {"pid": process.pid, "started": started}))
            wait_until(lambda: _loads(embedded_stack), "it loads")
            yield embedded_stack
        finally:
            process.kill()


def _is_written(client: redis.Redis) -> bool:
    told = client.info("persistence")
    return not (told["aof_rewrite_in_progress"] or told["aof_rewrite_scheduled"])


def _loads(stack: Stack) -> bool:
    with stack.client() as client:
        try:
            return bool(client.info("persistence")["loading"])
        except redis.ConnectionError:
            return False


def test_no_figure_is_told_while_redis_loads_its_data(loading: Stack) -> None:
    """INFO is answered, with the keys that it has read so far, and says that AOF is off."""
    status = loading("redis", "status", "--json")
    assert (status.status, status.json["keys"], status.json["memory"]) == (1, None, None)
    assert "loading its data" in status.json["problem"]
    findings = {each["name"]: each for each in loading("doctor", "--json").json["findings"]}
    assert "'pawsctl redis up' mends it" not in findings["stack"]["hint"]
    assert findings["port"]["detail"].endswith("is this project's own")
    memory = loading("redis", "memory", "--json").json["nodes"][0]
    assert memory["aof"] is None
    (warning,) = memory["warnings"]
    assert warning.startswith("Redis is still loading its data")


def _stop_saving(client: redis.Redis, data: Path) -> None:
    """Have Redis refuse writes: its snapshot can't be written."""
    (data / "dump.rdb").mkdir()
    client.config_set("save", "3600 1")
    client.bgsave()
    wait_until(lambda: client.info("persistence")["rdb_last_bgsave_status"] == "err", "it failed")


def test_a_redis_that_cannot_save_is_not_said_to_be_well(embedded_stack: Stack) -> None:
    """It refuses each write, and PING; what it holds is still told."""
    assert embedded_stack("redis", "up").status == 0
    with embedded_stack.client() as client:
        _stop_saving(client, _home(embedded_stack) / "data")

    status = embedded_stack("redis", "status", "--json")

    assert status.status == 1
    assert status.json["keys"]["total"] == 0
    assert "Redis runs and refuses: MISCONF" in status.json["problem"]
    findings = {each["name"]: each for each in embedded_stack("doctor", "--json").json["findings"]}
    assert "'pawsctl redis up' mends it" not in findings["stack"]["hint"]
    assert findings["port"]["detail"].endswith("is this project's own")


def test_a_topology_whose_primary_cannot_save_takes_no_writes(topology: Topology) -> None:
    """One of a cluster's primaries is enough."""
    topology.up()
    found = topology.status()
    primary = next(each for each in found["services"] if each["role"] == "primary")
    port = topology.ports_of("primary")[0]
    (home,) = topology.folder.glob(f"state/pawsctl/*/*/embedded/{primary['service']}/data")
    with redis.Redis(port=port, protocol=2) as client:
        _stop_saving(client, home)

    status = topology.run("status", "--json")

    assert (status.status, status.json["serves"]) == (1, False)
    assert any(f"{primary['service']} refuses: MISCONF" in each for each in status.json["problems"])


def test_a_redis_that_was_made_a_replica_is_told(embedded_stack: Stack) -> None:
    """By a client; it takes no writes. What is said to help does."""
    assert embedded_stack("redis", "up").status == 0
    with embedded_stack.client() as client:
        client.set("kept", "1")
        client.replicaof("127.0.0.1", 1)

    status = embedded_stack("redis", "status", "--json")

    assert status.status == 1
    assert "Redis runs as a replica of 127.0.0.1:1" in status.json["problem"]
    findings = {each["name"]: each for each in embedded_stack("doctor", "--json").json["findings"]}
    assert "takes no writes; 'pawsctl redis restart'" in findings["stack"]["detail"]
    assert "'pawsctl redis up' mends it" not in findings["stack"]["hint"]
    _, command, _ = status.json["problem"].split("'")
    assert embedded_stack(*command.split()[1:]).status == 0
    assert embedded_stack("redis", "status", "--json").json["problem"] is None
    with embedded_stack.client() as client:
        assert client.get("kept") == b"1"


@pytest.mark.parametrize(("rule", "status"), [("-info", 0), ("-@all", 1)])
def test_a_redis_that_refuses_what_is_asked_is_not_said_to_be_silent(
    embedded_stack: Stack, rule: str, status: int
) -> None:
    """A client has changed what its user may do. What is said to help does."""
    assert embedded_stack("redis", "up").status == 0
    with embedded_stack.client() as client:
        client.execute_command("ACL", "SETUSER", "default", rule)

    found = embedded_stack("redis", "status", "--json")

    assert (found.status, found.json["memory"]) == (status, None)
    assert "does not answer" not in found.json["problem"]
    assert "'pawsctl redis restart'" in found.json["problem"]
    assert embedded_stack("redis", "restart").status == 0
    assert embedded_stack("redis", "status", "--json").json["problem"] is None
