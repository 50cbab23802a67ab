"""A Sentinel trio for the whole run, and trios that a test may break."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import sentinels
from tests.cli_runner import Pawsctl
from tests.sentinels import Trio


@pytest.fixture(scope="session")
def whole_run_trio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trio]:
    """A trio for the whole run; `trio` is the same, emptied."""
    with sentinels.running(tmp_path_factory.mktemp("sentinel")) as trio:
        yield trio


@pytest.fixture
def trio(whole_run_trio: Trio) -> Trio:
    """An empty trio; a test must not change its primary."""
    whole_run_trio.primary.client.flushall()
    return whole_run_trio


@pytest.fixture
def breakable(tmp_path: Path) -> Iterator[Trio]:
    """A trio for one test to break."""
    with sentinels.running(tmp_path) as trio:
        yield trio


@pytest.fixture
def anywhere(tmp_path: Path) -> Pawsctl:
    """pawsctl without a Redis: each test passes a URL."""
    return Pawsctl(tmp_path)
