"""A pytest plugin that groups tests for parallel workers, and marks the slow ones.

Tests mostly wait, for processes, failovers and deadlines, so there are more workers than
processors. Expensive setups happen once: the tests that share one go to the same worker, the
largest such groups first, then slow tests, so that nothing long starts last.
"""

import os

import pytest

WORKERS_PER_PROCESSOR = 4

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
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


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
