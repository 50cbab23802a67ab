"""A topology whose ports others have, or that was made with another REDIS_PORT."""

from pathlib import Path

from pawsctl.errors import ExitStatus
from pawsctl.stack.project import layout
from tests.servers import running
from tests.topology_fixtures import Topology, free_base


def test_a_foreign_redis_on_its_port_is_not_taken_for_a_node(
    topology: Topology, tmp_path: Path
) -> None:
    """Of a topology that is not created, status tells that and who is in the way, no more."""
    port = min(map(int, layout.variables(topology.topology, topology.port).values()))
    with running(tmp_path, port=port):
        done = topology.run("status", "--json")
        text = topology.run("status").text

    assert done.status == ExitStatus.FAILED
    assert {each["role"] for each in done.json["services"]} == {None}
    assert not done.json["serves"]
    not_created, obstacle = done.json["problems"]
    assert not_created == "it is not created"
    assert f"Port {port} on 127.0.0.1" in obstacle
    assert "quorum" not in text
    assert "'pawsctl redis up" not in text
    assert "'pawsctl redis up --topology" in topology.run("status").text


def test_another_redis_port_moves_no_topology_and_asks_none(
    topology: Topology, tmp_path: Path
) -> None:
    """status tells of the one that runs; nothing is changed, and a stranger is not its node."""
    topology.up()
    processes = {each.pid for each in topology.processes()}
    elsewhere = {"REDIS_PORT": str(free_base(topology.topology))}
    other_port = min(
        map(int, layout.variables(topology.topology, int(elsewhere["REDIS_PORT"])).values())
    )
    before = topology.run("status", "--json").json

    with running(tmp_path, port=other_port):
        status = topology.run("status", "--json", env=elsewhere)
        refused = {
            command: topology.run(command, env=elsewhere)
            for command in ("up", "restart", "failover")
        }
    after = {each.pid for each in topology.processes()}
    node = topology.ports_of("replica")[-1]
    topology.kill(node)
    with running(tmp_path, port=node):
        partial = topology.status()["problems"]

    assert status.status == ExitStatus.OK
    assert status.json["url"] == before["url"]
    roles = [each["role"] for each in before["services"]]
    assert [each["role"] for each in status.json["services"]] == roles
    (problem,) = status.json["problems"]
    assert f"REDIS_PORT={topology.port}" in problem
    assert elsewhere["REDIS_PORT"] in problem
    for done in refused.values():
        assert done.status == ExitStatus.FAILED
        assert f"Set REDIS_PORT back to {topology.port}" in done.err
        assert "Nothing was changed" in done.err
    assert processes == after
    (silent,) = [each for each in partial if "it does not run" in each]
    assert "does not answer" in silent
    assert not any("no Sentinel names" in each for each in partial)
