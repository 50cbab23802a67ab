"""The strict parser of the compose file."""

import re
from pathlib import Path

import pytest

from pawsctl.errors import OperationFailed
from pawsctl.stack.project import layout
from pawsctl.stack.project.compose_file import read
from pawsctl.stack.project.mounted_files import compose_file
from pawsctl.stack.project.services import HealthCheck, Port, Service, Volume

SMALL = """
name: ${PROJECT:-paws}
services:
  redis:
    image: redis
    container_name: ${PROJECT:-paws}-redis
    mem_limit: 512m
    ports: ["127.0.0.1:${PORT:-6379}:6379"]
    healthcheck: {test: [CMD, "true"], interval: 500ms, timeout: 1m, retries: 2}
    restart: always
"""


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """A small compose file."""
    path = tmp_path / "compose.yaml"
    path.write_text(SMALL)
    return path


def _redis(path: Path, **variables: str) -> Service:
    return read(path, variables).service("redis")


def test_our_own_compose_file_says_what_the_stack_promises() -> None:
    """Image, port, limit, volume and health check are defined there and nowhere else."""
    redis = _redis(compose_file())

    assert redis.image == "redis:7.2-alpine"
    assert redis.container == "paws-wpp-redis"
    assert redis.memory == 512 << 20
    assert redis.ports == (Port("127.0.0.1", 6379, 6379),)
    assert redis.volumes == (Volume("redis-data", "paws-wpp_redis-data", "/data"),)
    assert redis.restart == "unless-stopped"
    assert (redis.health.interval, redis.health.test[0]) == (10.0, "CMD-SHELL")
    assert '"$(cat ' in redis.health.test[1]
    assert redis.command[:2] == ("redis-server", "/run/secrets/redis.conf")


@pytest.mark.parametrize("kept", ["as it was", "nonsense", "missing"])
def test_a_changed_compose_file_is_parsed_anew(tmp_path: Path, kept: str) -> None:
    """The JSON that is kept of it is used for the same text only."""
    for name in ("compose.yaml", "parsed/compose.json"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes((compose_file().parent / name).read_bytes())
    assert _redis(tmp_path / "compose.yaml").restart == "unless-stopped"
    if kept == "nonsense":
        path.write_text("{")
    if kept == "missing":
        path.unlink()
    changed = tmp_path / "compose.yaml"
    changed.write_text(changed.read_text().replace("unless-stopped", "on-failure"))
    assert _redis(changed).restart == "on-failure"


def test_our_own_commander_reads_its_file_where_node_config_looks() -> None:
    """The secret has a target of its own."""
    commander = read(compose_file(), {}).service("redis-commander")

    (file,) = commander.files
    assert file.source == compose_file().parent / "defaults" / "commander.json"
    assert file.target == "/redis-commander/config/local.json"
    assert commander.depends_on == ("redis",)


@pytest.mark.parametrize("topology", ["sentinel", "cluster"])
def test_every_server_of_a_topology_has_a_port_and_data_of_its_own(
    topology: layout.Topology,
) -> None:
    """On the host's network; without variables the ports follow the default REDIS_PORT."""
    stack = read(compose_file(topology), {})

    assert stack.project == f"paws-wpp-{topology}"
    assert len(stack.services) == 6
    ports = {port.published for each in stack.services for port in each.ports}
    assert ports == {int(port) for port in layout.variables(topology, 6379).values()}
    assert len({each.volumes[0].name for each in stack.services}) == 6
    for each in stack.services:
        assert each.on_host
        assert each.command[each.command.index("--port") + 1] == str(each.ports[0].published)
        assert str(each.ports[0].published) in each.health.test
        for file in each.files:
            assert file.source.is_file()


@pytest.mark.parametrize("topology", ["single", "sentinel", "cluster"])
def test_every_redis_can_be_given_another_memory_limit(topology: layout.Topology) -> None:
    """One variable sets it for pawsctl and for docker compose; 0 is no limit."""
    path = compose_file(topology)
    for limit, memory in (("2g", 2 << 30), ("0b", 0)):
        stack = read(path, {"REDIS_MEMORY_LIMIT": limit})
        servers = [stack.service(key) for key in layout.redis_ports(stack).values()]
        assert {each.memory for each in servers if each.volumes} == {memory}


def test_the_topologies_share_no_port() -> None:
    """All of them can run side by side."""
    single = {6379, 8081}
    sentinel = {int(port) for port in layout.variables("sentinel", 6379).values()}
    cluster = {int(port) for port in layout.variables("cluster", 6379).values()}

    assert len(single | sentinel | cluster) == 2 + 6 + 12


@pytest.mark.parametrize(
    ("topology", "url"),
    [
        ("single", "redis://127.0.0.1:6379"),
        (
            "sentinel",
            "redis+sentinel://127.0.0.1:26379,127.0.0.1:26380,127.0.0.1:26381/paws",
        ),
        (
            "cluster",
            "redis+cluster://127.0.0.1:7001,127.0.0.1:7002,127.0.0.1:7003,"
            "127.0.0.1:7004,127.0.0.1:7005,127.0.0.1:7006",
        ),
    ],
)
def test_a_topology_has_one_url(topology: layout.Topology, url: str) -> None:
    """It names every server that a client may start from."""
    assert layout.url(topology, read(compose_file(topology), {})) == url


def test_variables_are_put_in_and_defaults_where_there_are_none(written: Path) -> None:
    """An empty value counts as unset, as with `:-`."""
    assert read(written, {"PROJECT": "other", "PORT": "7000"}).project == "other"
    assert _redis(written, PROJECT="other").container == "other-redis"
    assert _redis(written, PORT="7000").ports[0].published == 7000
    assert _redis(written, PORT="").ports[0].published == 6379


def test_times_are_seconds_and_sizes_bytes(written: Path) -> None:
    """The file gives each with its unit."""
    redis = _redis(written)

    assert redis.health == HealthCheck(test=("CMD", "true"), interval=0.5, timeout=60.0, retries=2)
    assert redis.memory == 512 * 1024 * 1024


def test_a_value_is_put_in_as_it_is(written: Path) -> None:
    """A variable's value is not interpolated again."""
    assert read(written, {"PROJECT": "${PORT:-1}$$"}).project == "${PORT:-1}$$"


@pytest.mark.parametrize(
    ("line", "instead", "words"),
    [
        ("    restart: always", "    restart: always\n    cpus: 2", "unknown field `cpus`"),
        ("    restart: always", "", "missing required field `restart`"),
        ("    restart: always", "    restart: 1", "Expected `str`, got `int`"),
        ("    restart: always", "    restart: $RESTART", "neither $$ nor"),
        ("    restart: always", "    restart: ${RESTART}", "neither $$ nor"),
        ("mem_limit: 512m", "mem_limit: lots", "'lots' is not a number"),
        ("    restart: always", "    restart: always\n    volumes: [data:/data]", "not declared"),
        ("    restart: always", "    restart: always\n    secrets: [missing]", "missing"),
        ('"127.0.0.1:${PORT:-6379}:6379"', '"6379:6379"', "not enough values"),
        ("    restart: always", "    restart: always\n    network_mode: host", "neither ports nor"),
        ("    restart: always", "    restart: always\n    network_mode: bridge", "Invalid enum"),
        ("    restart: always", "    restart: always\n    expose: ['1']", "neither ports nor"),
        ("services:", "services: [", "while parsing"),
        ("services:", "x-own: 1\nservices:", "unknown field `x-own`"),
    ],
)
def test_what_pawsctl_does_not_honour_is_an_error(
    written: Path, line: str, instead: str, words: str
) -> None:
    """An ignored key would be a broken promise."""
    assert line in SMALL
    written.write_text(SMALL.replace(line, instead))

    with pytest.raises(OperationFailed, match=re.escape(words)):
        read(written, {})


@pytest.mark.parametrize(
    ("text", "size"),
    [("5b", 5), ("5k", 5 << 10), ("5m", 5 << 20), ("5g", 5 << 30), ('"5"', None), ("5kb", None)],
)
def test_a_limit_of_memory_has_a_unit(written: Path, text: str, size: int | None) -> None:
    """One of four."""
    written.write_text(SMALL.replace("512m", text))
    if size is None:
        with pytest.raises(OperationFailed, match="is not a number with one of b, k, m, g"):
            _redis(written)
    else:
        assert _redis(written).memory == size


@pytest.mark.parametrize(
    ("text", "seconds"), [("500ms", 0.5), ("5s", 5.0), ("5m", 300.0), ("5h", 18_000.0)]
)
def test_a_time_has_a_unit(written: Path, text: str, seconds: float) -> None:
    """One of four."""
    written.write_text(SMALL.replace("500ms", text))
    health = _redis(written).health
    assert (health.interval, health.timeout, health.retries) == (seconds, 60.0, 2)
