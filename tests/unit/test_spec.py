"""The compose file, read strictly."""

import re
from pathlib import Path

import pytest

from pawsctl.errors import OperationFailed
from pawsctl.stack import spec
from pawsctl.stack.files import compose_file
from pawsctl.stack.services import Health, Port, Service, Volume

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
    return spec.read(path, variables).service("redis")


def test_our_own_compose_file_says_what_the_stack_promises() -> None:
    """Image, port, limit, volume and health check stand in it and nowhere else."""
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


def test_our_own_commander_reads_its_file_where_node_config_looks() -> None:
    """A secret with a target of its own."""
    commander = spec.read(compose_file(), {}).service("redis-commander")

    (file,) = commander.files
    assert file.source == compose_file().parent / "defaults" / "commander.json"
    assert file.target == "/redis-commander/config/local.json"
    assert commander.depends_on == ("redis",)


def test_variables_are_put_in_and_defaults_where_there_are_none(written: Path) -> None:
    """An empty value counts as none, as `:-` has it."""
    assert spec.read(written, {"PROJECT": "other", "PORT": "7000"}).project == "other"
    assert _redis(written, PROJECT="other").container == "other-redis"
    assert _redis(written, PORT="7000").ports[0].published == 7000
    assert _redis(written, PORT="").ports[0].published == 6379


def test_times_are_seconds_and_sizes_bytes(written: Path) -> None:
    """Each with the unit that the file names."""
    redis = _redis(written)

    assert redis.health == Health(test=("CMD", "true"), interval=0.5, timeout=60.0, retries=2)
    assert redis.memory == 512 * 1024 * 1024


def test_a_value_is_put_in_as_it_is(written: Path) -> None:
    """What a variable holds is not interpolated once more."""
    assert spec.read(written, {"PROJECT": "${PORT:-1}$$"}).project == "${PORT:-1}$$"


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
        ("services:", "services: [", "while parsing"),
        ("services:", "x-own: 1\nservices:", "unknown field `x-own`"),
    ],
)
def test_what_pawsctl_does_not_honour_is_an_error(
    written: Path, line: str, instead: str, words: str
) -> None:
    """A key that were ignored would be a promise not kept."""
    assert line in SMALL
    written.write_text(SMALL.replace(line, instead))

    with pytest.raises(OperationFailed, match=re.escape(words)):
        spec.read(written, {})
