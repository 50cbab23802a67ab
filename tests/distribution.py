"""A pytest plugin that groups tests for parallel workers, and marks the slow ones.

Tests that wait, for containers, failovers and deadlines, take most of the time, so there are more
workers than processors, and tests that compute run between them. Expensive setups happen once: the
tests that share one go to the same worker, the largest such groups first. Nothing slow starts last.
"""

import os

import pytest

WORKERS_PER_PROCESSOR = 5

# The part of the tests that compute which run when all that wait have begun.
_LEFT_TO_THE_END = 0.15

# The fixtures of the whole run that are worth a worker of their own. A fixture of a module is
# always one. A registry that is named in the environment needs no setup.
_SHARED: tuple[str, ...] = (
    *("six_nodes", "whole_run_trio"),
    *(() if os.environ.get("PAWSCTL_TEST_REGISTRY") else ("registry",)),
)

# A test with one of these fixtures waits for seconds: for containers and topologies.
_WAITED_FOR = {
    *("docker_engine", "stack", "running", "registry"),
    *("topology", "sentinels", "cluster_of_six", "whole"),
    *("six_nodes", "movable", "breakable", "whole_run_trio"),
}


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line(
        "markers",
        "slow(seconds): takes seconds; left out by `make test-quick`, as is tests/integration. "
        "If it takes more than 10, their number has it begin early.",
    )


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Return the number of workers for `-n auto`."""
    return WORKERS_PER_PROCESSOR * min(os.cpu_count() or 1, 4)


# Before xdist looks for groups, and after pytest-randomly's shuffle.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the groups and the slow tests, and spread those that wait over the run."""
    waiting: list[pytest.Item] = []
    computing: list[pytest.Item] = []
    for item in items:
        waits = _waits(item)
        (waiting if waits else computing).append(item)
        if waits or item.nodeid.startswith("tests/integration/"):
            item.add_marker("slow")
        if group := _group(item):
            _add_to_group(item, group)
    items[:] = _spread(waiting, computing)


def _add_to_group(item: pytest.Item, group: str) -> None:
    """Have xdist run a test in the same worker as the others of a group.

    Workers tell the group at the end of a test's id. Where xdist 3.8 writes it, pytest 9.2 does not
    look: https://github.com/pytest-dev/pytest-xdist/issues/1386.
    """
    item.add_marker(pytest.mark.xdist_group(group))
    if hasattr(item.config, "workerinput") and hasattr(item, "_id"):
        item._id = type(item._id).parse(f"{item.nodeid}@{group}")


def _waits(item: pytest.Item) -> bool:
    fixtures = item.fixturenames if isinstance(item, pytest.Function) else ()
    return bool(item.get_closest_marker("slow") or _WAITED_FOR.intersection(fixtures))


def _seconds(item: pytest.Item) -> int:
    """Return how long a test takes, by its marker; 0 if that does not say."""
    marker = item.get_closest_marker("slow")
    return marker.args[0] if marker and marker.args else 0


def _spread(waiting: list[pytest.Item], computing: list[pytest.Item]) -> list[pytest.Item]:
    """Return tests that wait with as many others after each, but for those left to the end.

    Those that take longest begin first.
    """
    waiting = sorted(waiting, key=_seconds, reverse=True)
    share = int(len(computing) * (1 - _LEFT_TO_THE_END)) // max(1, len(waiting))
    found = []
    for number, item in enumerate(waiting):
        found += [item, *computing[number * share : (number + 1) * share]]
    return found + computing[len(waiting) * share :]


def _group(item: pytest.Item) -> str | None:
    """Return the name of the expensive fixture that a test shares with others."""
    if not isinstance(item, pytest.Function):
        return None
    for name in _SHARED:
        if name in item.fixturenames:
            return name
    definitions = item._fixtureinfo.name2fixturedefs
    for name in item.fixturenames:
        if name in definitions and definitions[name][-1].scope == "module":
            parameter = item.callspec.indices.get(name, 0) if hasattr(item, "callspec") else 0
            return f"{item.path.parent.name}/{item.path.stem}:{name}:{parameter}"
    return None
