"""A pytest plugin that fails each test that leaves a process, temporary file or Docker object.

A process belongs to a test if it works in the test's folder or has it on its command line; fixtures
of a module or of the whole run use other folders, and end later.
"""

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

GRACE_SECONDS = 5.0
"""How long what was told to end may take to do so, on a busy machine."""

_BEFORE = pytest.StashKey[frozenset[str]]()


def pytest_configure(config: pytest.Config) -> None:
    """Give this process and its children a temporary folder of their own.

    Its path is short, since Unix sockets lie in it.
    """
    if hasattr(config, "workerinput") or not _is_distributed(config):
        folder = tempfile.mkdtemp(prefix="t")
        # Some tests run commands as other users, who need to pass through it.
        Path(folder).chmod(0o755)
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
        os.environ["TMPDIR"] = tempfile.tempdir = folder


def _is_distributed(config: pytest.Config) -> bool:
    return bool(config.getoption("numprocesses", default=None))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    """Record what exists when a test begins."""
    yield
    item.stash[_BEFORE] = _temporary()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    """Fail the test if anything exists afterwards that did not when it began."""
    arguments = dict(getattr(item, "funcargs", {}))
    yield
    if _BEFORE not in item.stash:
        return
    before = item.stash[_BEFORE]
    deadline = time.monotonic() + GRACE_SECONDS
    while left := (_temporary() - before) | _of(arguments):
        if time.monotonic() > deadline:
            pytest.fail(f"the test leaves behind: {', '.join(sorted(left))}", pytrace=False)
        time.sleep(0.05)


def _temporary() -> frozenset[str]:
    """Return the temporary files of this process."""
    return frozenset(map(str, Path(tempfile.gettempdir()).iterdir()))


def _processes(folder: Path) -> set[str]:
    """Return the processes whose folder or command line lies below that folder."""
    if sys.platform != "linux":
        return set()
    found = set()
    for name in os.listdir("/proc"):  # noqa: PTH208 - a tenth of the time, for each test
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/cmdline", "rb") as stream:  # noqa: PTH123 - as above
                command = stream.read()
            place = os.readlink(f"/proc/{name}/cwd")  # noqa: PTH115 - as above
        except OSError:
            continue
        # A process that has ended has no command line.
        if command and (str(folder) in place or str(folder).encode() in command):
            found.add(f"process {name}: {command[:200].replace(bytes(1), b' ')!r}")
    return found


def _of(arguments: dict[str, Any]) -> set[str]:
    """Return the processes and Docker objects left behind by a test with these fixtures."""
    found = _processes(arguments["tmp_path"]) if "tmp_path" in arguments else set()
    if not {"docker_engine", "project"} <= set(arguments):
        return found
    api, named = arguments["docker_engine"].api, {"name": arguments["project"]}
    found |= {f"container {each['Names'][0]}" for each in api.containers(all=True, filters=named)}
    found |= {f"volume {each['Name']}" for each in api.volumes(filters=named)["Volumes"] or ()}
    return found | {f"network {each['Name']}" for each in api.networks(filters=named)}
