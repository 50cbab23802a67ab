"""A pytest plugin that groups tests for parallel workers, and marks the slow ones.

Slow tests mostly wait, for containers, failovers and deadlines, so there are more workers than
processors, and quick tests, which compute, run between them. Expensive setups happen once: the
tests that share one go to the same worker, the largest such groups first. Nothing slow starts last.
"""

import os

import pytest

WORKERS_PER_PROCESSOR = 4

# The part of the quick tests that run when all slow ones have begun.
_LEFT_TO_THE_END = 0.15

# The fixtures of the whole run that are worth a worker of their own. A fixture of a module is
# always one.
_SHARED = ("six_nodes", "whole_run_trio", "registry")

# A test with one of these fixtures takes seconds: containers and topologies.
_SLOW = {
    *("docker_engine", "stack", "running", "registry"),
    *("topology", "sentinels", "cluster_of_six", "whole"),
    *("six_nodes", "movable", "breakable", "whole_run_trio"),
}


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line(
        "markers", "slow: takes seconds; left out by `make test-quick` (many are marked by fixture)"
    )


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Return the number of workers for `-n auto`."""
    return WORKERS_PER_PROCESSOR * min(os.cpu_count() or 1, 4)


# Before xdist looks for groups, and after pytest-randomly's shuffle.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the groups and the slow tests."""
    for item in items:
        if isinstance(item, pytest.Function):
            if _SLOW & set(item.fixturenames):
                item.add_marker("slow")
            if group := _group(item):
                item.add_marker(pytest.mark.xdist_group(group))
    slow = [item for item in items if item.get_closest_marker("slow")]
    quick = [item for item in items if not item.get_closest_marker("slow")]
    items[:] = _spread(slow, quick)


def _spread(slow: list[pytest.Item], quick: list[pytest.Item]) -> list[pytest.Item]:
    """Return the slow tests with as many quick ones after each, but for those left to the end."""
    share = int(len(quick) * (1 - _LEFT_TO_THE_END)) // max(1, len(slow))
    found = []
    for number, item in enumerate(slow):
        found += [item, *quick[number * share : (number + 1) * share]]
    return found + quick[len(slow) * share :]


def _group(item: pytest.Function) -> str | None:
    """Return the name of the expensive fixture that a test shares with others."""
    for name in _SHARED:
        if name in item.fixturenames:
            return name
    definitions = item._fixtureinfo.name2fixturedefs
    for name in item.fixturenames:
        if name in definitions and definitions[name][-1].scope == "module":
            parameter = item.callspec.indices.get(name, 0) if hasattr(item, "callspec") else 0
            return f"{item.path.parent.name}/{item.path.stem}:{name}:{parameter}"
    return None
