"""Fails each test that leaves a process, a temporary file or something in Docker. A pytest plugin.

Counted is what a test's own run has begun: what a fixture of the module or of the whole run starts
is there before it, and ends later.
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
    """Give this process, and all that it starts, a folder of its own for temporary files.

    Its path is short, since Unix sockets lie in it.
    """
    if hasattr(config, "workerinput") or not _is_distributed(config):
        folder = tempfile.mkdtemp(prefix="t")
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
        os.environ["TMPDIR"] = tempfile.tempdir = folder


def _is_distributed(config: pytest.Config) -> bool:
    return bool(config.getoption("numprocesses", default=None))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    """Note what is there when a test begins."""
    yield
    item.stash[_BEFORE] = _present(item)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    """Fail the test for what is there afterwards, and was not when it began."""
    arguments = dict(getattr(item, "funcargs", {}))
    yield
    if _BEFORE not in item.stash:
        return
    before = item.stash[_BEFORE]
    deadline = time.monotonic() + GRACE_SECONDS
    while left := (_present(item) - before) | _in_docker(arguments):
        if time.monotonic() > deadline:
            pytest.fail(f"the test leaves behind: {', '.join(sorted(left))}", pytrace=False)
        time.sleep(0.05)


def _present(item: pytest.Item) -> frozenset[str]:
    """The temporary files of this process, and the processes that work in them or for the test."""
    folder = Path(tempfile.gettempdir())
    found = {str(path) for path in folder.iterdir()}
    if sys.platform == "linux":
        own = getattr(item, "funcargs", {}).get("tmp_path", folder)
        found.update(_processes(str(folder).encode(), str(own).encode()))
    return frozenset(found)


def _processes(*folders: bytes) -> Iterator[str]:
    """The processes whose folder or command line lies below one of these; an ended one has none."""
    own = str(os.getpid())
    for name in os.listdir("/proc"):  # noqa: PTH208 - a tenth of the time, for each test
        if not name.isdigit() or name == own:
            continue
        try:
            with open(f"/proc/{name}/cmdline", "rb") as stream:  # noqa: PTH123 - as above
                command = stream.read()
            place = os.readlink(f"/proc/{name}/cwd").encode()  # noqa: PTH115 - as above
        except OSError:
            continue
        if command and any(folder in command or folder in place for folder in folders):
            yield f"process {name}: {command[:200].replace(bytes(1), b' ')!r}"


def _in_docker(arguments: dict[str, Any]) -> set[str]:
    """What the engine still has with the name of a test's project."""
    if not {"docker_engine", "project"} <= set(arguments):
        return set()
    api, named = arguments["docker_engine"].api, {"name": arguments["project"]}
    found = {f"container {each['Names'][0]}" for each in api.containers(all=True, filters=named)}
    found |= {f"volume {each['Name']}" for each in api.volumes(filters=named)["Volumes"] or ()}
    return found | {f"network {each['Name']}" for each in api.networks(filters=named)}
