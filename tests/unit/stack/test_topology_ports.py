"""The ports and URLs of the topologies."""

import pytest

from pawsctl.errors import UsageError
from pawsctl.stack.project import layout
from pawsctl.stack.project.compose_file import read
from pawsctl.stack.project.layout import Topology
from pawsctl.stack.project.mounted_files import compose_file


def test_ports_follow_redis_port() -> None:
    """No two services share one."""
    assert layout.variables("single", 6379) == {}
    assert layout.variables("sentinel", 6379) == {
        **{f"REDIS_{n}_PORT": str(6379 + n) for n in (1, 2, 3)},
        **{f"SENTINEL_{n}_PORT": str(26378 + n) for n in (1, 2, 3)},
    }
    assert layout.variables("cluster", 6379) == {
        **{f"NODE_{n}_PORT": str(7000 + n) for n in range(1, 7)},
        **{f"NODE_{n}_BUS": str(17000 + n) for n in range(1, 7)},
    }


@pytest.mark.parametrize(
    ("kind", "most"), [("single", 70_000), ("sentinel", 45_533), ("cluster", 54_908)]
)
def test_redis_port_leaves_room_for_the_others(kind: Topology, most: int) -> None:
    """The highest port is 65535."""
    layout.variables(kind, most)
    if kind != "single":
        with pytest.raises(UsageError, match="65536"):
            layout.variables(kind, most + 1)


@pytest.mark.parametrize(
    ("kind", "url"),
    [
        ("single", "redis://127.0.0.1:6379"),
        (
            "sentinel",
            "redis+sentinel://127.0.0.1:26379,127.0.0.1:26380,127.0.0.1:26381/paws",
        ),
        ("cluster", "redis+cluster://" + ",".join(f"127.0.0.1:{7000 + n}" for n in range(1, 7))),
    ],
)
def test_clients_have_one_url_for_a_topology(kind: Topology, url: str) -> None:
    """Of the Sentinels, where there are any."""
    stack = read(compose_file(kind), {})
    assert layout.url(kind, stack) == url
    sentinels = list(layout.sentinel_ports(stack))
    assert sentinels == ([26379, 26380, 26381] if kind == "sentinel" else [])
    if kind != "single":
        assert len(layout.redis_ports(stack)) == 6 - len(sentinels)
    assert layout.option(kind) == ("" if kind == "single" else f" --topology {kind}")
    for service in stack.services if kind != "single" else ():
        for port in service.ports:
            assert (layout.offset(service, port.published) or 0) + 6379 == port.published


def test_a_service_of_no_topology_has_no_offset() -> None:
    """The one Redis is on REDIS_PORT itself."""
    service = read(compose_file(), {}).services[0]
    assert layout.offset(service, 6379) is None
