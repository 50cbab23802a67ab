"""The status of a topology and the next steps, in narrow terminals."""

import pytest
from msgspec.structs import replace

from pawsctl.cli.output.table import plain
from pawsctl.cli.redis import results_view
from pawsctl.cli.redis.status import status_view
from pawsctl.stack.lifecycle import Up
from pawsctl.stack.topology_status import TopologyMember, TopologyStatus

PRIMARY = TopologyMember(
    service="node-1",
    name="paws-wpp-node-1",
    state="running",
    health=None,
    ports=("127.0.0.1:7001",),
    uptime=3.0,
    role="primary",
    primary=None,
    slots=("5461-10922",),
    keys=12,
    memory=2_900_000,
    lag=None,
)
REPLICA = replace(
    PRIMARY,
    service="node-4",
    name="paws-wpp-node-4",
    ports=("127.0.0.1:7004",),
    role="replica",
    primary="node-1",
    slots=(),
)
STATUS = TopologyStatus(
    engine="embedded",
    url="redis+cluster://127.0.0.1:7001",
    services=(PRIMARY, REPLICA),
    topology="cluster",
    quorum=None,
    serves=True,
    problems=(),
)


@pytest.mark.parametrize("room", [40, 60, 80, 100])
def test_no_value_of_a_topology_is_cut(room: int) -> None:
    """A column for which there is no room is left out whole."""
    shown = [plain(line) for line in status_view(STATUS, room=room)]
    assert not [line for line in shown if "…" in line]
    assert any(line.endswith("replica of node-1") for line in map(str.rstrip, shown)) is (room < 80)


def test_the_next_steps_fit_eighty_columns() -> None:
    """Each has a command and what it is for."""
    done = Up(engine="embedded", url=STATUS.url, services=())
    for topology in ("single", "sentinel", "cluster"):
        lines = [plain(line) for line in results_view.next_steps(done, topology, STATUS.url)]
        assert max(map(len, lines)) <= 80
