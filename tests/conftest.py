"""Fixtures that several kinds of tests need."""

import gc
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests import servers
from tests.cli_runner import Pawsctl
from tests.servers import Server

pytest_plugins = [
    "tests.distribution",
    "tests.leaks",
    "tests.reporting",
    "tests.docker_fixtures",
    "tests.stack_fixtures",
    "tests.topology_fixtures",
]

SAMPLES = Path(__file__).parent / "sessions"
GOOD = sorted(SAMPLES.glob("*.json"))
BROKEN = sorted((SAMPLES / "broken").iterdir())
STUCK = sorted((SAMPLES / "stuck").iterdir())
TRIMMED = sorted((SAMPLES / "trimmed").iterdir())


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that has tests/cli/test_screens.py write its screens anew."""
    parser.addoption(
        "--write-screens", action="store_true", help="write the screens that tests compare with"
    )


def pytest_configure() -> None:
    """Let Ctrl-C reach what tests start, and no generated test depend on the machine's speed."""
    # Tests make many objects and little garbage.
    gc.set_threshold(100_000)
    # A shell has what it runs in the background ignore Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    settings.register_profile(
        "any speed", deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
    settings.load_profile("any speed")


def pytest_collection_finish() -> None:
    """Leave the collected tests, which stay, out of every later garbage collection."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A Valkey server for the whole run; `server` is the same, emptied."""
    with servers.running(tmp_path_factory.mktemp("valkey")) as server:
        yield server


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A Redis server for the whole run."""
    with servers.running(tmp_path_factory.mktemp("redis"), program="redis-server") as server:
        yield server


@pytest.fixture
def server(valkey: Server) -> Server:
    """An empty Valkey server."""
    valkey.empty()
    return valkey


@pytest.fixture(params=["valkey", "redis_server"])
def any_server(request: pytest.FixtureRequest) -> Server:
    """An empty server: once Valkey, once Redis."""
    server: Server = request.getfixturevalue(request.param)
    server.empty()
    return server


@pytest.fixture
def pawsctl(server: Server, tmp_path: Path) -> Pawsctl:
    """pawsctl with REDIS_URL naming an empty server."""
    return Pawsctl(tmp_path, server.url)


@pytest.fixture
def bare_pawsctl(tmp_path: Path) -> Pawsctl:
    """pawsctl in an empty folder, without a Redis."""
    return Pawsctl(tmp_path)
