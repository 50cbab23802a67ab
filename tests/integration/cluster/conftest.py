"""A cluster for the whole run, and clusters that a test may break."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import clusters
from tests.cli_runner import Pawsctl
from tests.clusters import Cluster


@pytest.fixture(scope="session")
def six_nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Three primaries with a replica each, for the whole run; `cluster` is the same, emptied."""
    with clusters.running(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


@pytest.fixture
def cluster(six_nodes: Cluster) -> Cluster:
    """An empty cluster of six nodes; a test leaves its slots where they are."""
    for primary in six_nodes.primaries:
        primary.client.flushall()
    return six_nodes


@pytest.fixture
def movable(tmp_path: Path) -> Iterator[Cluster]:
    """Three primaries without replicas, whose slots one test may move."""
    with clusters.running(tmp_path, replicas=0) as cluster:
        yield cluster


@pytest.fixture
def breakable(tmp_path: Path) -> Iterator[Cluster]:
    """Three primaries with a replica each, for one test to break."""
    with clusters.running(tmp_path) as cluster:
        yield cluster


@pytest.fixture
def anywhere(tmp_path: Path) -> Pawsctl:
    """pawsctl without a Redis: each test passes a URL."""
    return Pawsctl(tmp_path)
