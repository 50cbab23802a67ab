"""A server whose folder was moved or renamed while it ran is neither overlooked nor ended."""

import json
import subprocess
from pathlib import Path

import pytest

from pawsctl.errors import ExitStatus
from tests.embedded_servers import servers_below
from tests.stack_fixtures import Stack
from tests.topology_fixtures import Topology


def _project(stack: Stack) -> Path:
    return stack.folder / "state/pawsctl" / stack.project


@pytest.mark.parametrize("moved", ["embedded/data", "embedded", "."])
def test_it_is_named_and_goes_on_until_it_is_moved_back(embedded_stack: Stack, moved: str) -> None:
    """Its data, its folder with its record, or all of the project; the hint moves it back."""
    stack = embedded_stack
    assert stack("redis", "up").status == 0
    with stack.client() as client:
        client.set("kept", "1")
    (server,) = servers_below(stack.folder)
    folder = _project(stack) / moved
    folder.rename(stack.folder / "elsewhere")

    status = stack("redis", "status", "--json")
    assert (status.status, status.json["services"][0]["state"]) == (0, "running")
    assert f"(process {server.pid}) in {stack.folder / 'elsewhere'}" in status.json["problem"]
    refused = [stack("--json", *each.split()) for each in ("redis cli -- ping", "redis logs")]
    for each in refused if moved != "embedded/data" else refused[:1]:
        assert (each.status, each.error["message"] in status.json["problem"]) == (7, True), each
    findings = stack("doctor", "--json").json
    assert any(status.json["problem"] in each["detail"] for each in findings["findings"])
    commands = ("stop", "up", "restart", "down", "down --volumes --yes", "reset --yes")
    refusals = [stack("redis", *each.split(), "--json") for each in commands]

    assert {each.status for each in refusals} == {ExitStatus.CONFLICT}, refusals
    assert {"Nothing was changed." in each.error["message"] for each in refusals} == {True}
    assert servers_below(stack.folder) == [server]
    _, way_back, _ = refusals[-1].error["hint"].split("'")
    subprocess.run(way_back.split(), check=True)
    assert stack("redis", "stop").text == f"stopped {stack.container}\n"
    assert stack("redis", "up").status == 0
    with stack.client() as client:
        assert client.get("kept") == b"1"


def test_a_topology_that_was_moved_is_named(sentinels: Topology) -> None:
    """A failover is not begun: the server that it kills could not be started again."""
    sentinels.up()
    project = _project(sentinels)
    project.rename(sentinels.folder / "elsewhere")

    status = sentinels.status()
    drill, logs = sentinels.run("failover", "--json"), sentinels.run("logs", "--json")

    (said,) = status["problems"]
    assert (status["serves"], "Move it back with" in said) == (True, True)
    for each in (drill, logs):
        assert (each.status, each.error["hint"].partition(" first")[0] in said) == (7, True), each
    assert "Nothing was changed." in drill.error["message"]
    (sentinels.folder / "elsewhere").rename(project)
    assert sentinels.status()["problems"] == []


def test_a_place_that_is_taken_again_is_named(embedded_stack: Stack) -> None:
    """As by a copy of the data that somebody put back there."""
    assert embedded_stack("redis", "up").status == 0
    data = _project(embedded_stack) / "embedded/data"
    data.rename(data.with_name("old"))
    data.mkdir()

    said = embedded_stack("redis", "stop").err
    assert f"Move what is in {data} away, and {data.with_name('old')} back there first." in said
    data.rmdir()
    data.with_name("old").rename(data)


def test_a_process_that_was_not_started_then_is_no_moved_server(embedded_stack: Stack) -> None:
    """A process id may be that of another server by now."""
    assert embedded_stack("redis", "up").status == 0
    data = _project(embedded_stack) / "embedded/data"
    file = data.with_name("server.json")
    before = file.read_text()
    file.write_text(json.dumps(json.loads(before) | {"started": 1.0}))
    data.rename(data.with_name("old"))

    assert embedded_stack("redis", "stop").text == "Nothing was running.\n"
    file.write_text(before)
    data.with_name("old").rename(data)
