"""A pytest plugin that fails each test that leaves a process, temporary file, Docker object or key.

A process belongs to a test if it works in the test's folder or has it on its command line; fixtures
of a module or of the whole run use other folders, and end later.

A key is left behind if pawsctl made it for itself, and promises to delete it: every other key is
the test's, and the servers that tests share are emptied before each test.
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

from tests.clusters import Cluster
from tests.sentinels import Trio
from tests.servers import Server

GRACE_SECONDS = 5.0
"""How long what was told to end may take to do so, on a busy machine."""

_SHARED_SERVERS = ("server", "any_server", "six_nodes", "whole_run_trio")

# Sessions of phones that nobody has, and the mark of a message: see `sessions/smoke/flow.py`.
_OWN_KEYS = ("wh:session:+00" + "?" * 15, "wh:seen:pawsctl-*")

_BEFORE = pytest.StashKey[frozenset[str]]()
_RAN_BEFORE = pytest.StashKey[frozenset[str]]()


def pytest_configure(config: pytest.Config) -> None:
    """Give this process and its children a temporary folder of their own.

    Its path is short, since Unix sockets lie in it.
    """
    if hasattr(config, "workerinput") or not _is_distributed(config):
        folder = tempfile.mkdtemp(prefix="t")
        # Some tests run commands as other users, who need to pass through it.
        Path(folder).chmod(0o755)
        before = os.environ.get("TMPDIR")
        os.environ["TMPDIR"] = tempfile.tempdir = folder
        config.add_cleanup(lambda: _remove(folder, before))


def _remove(folder: str, before: str | None) -> None:
    """Remove the temporary folder, and go back to the one before: pytest may be called again."""
    shutil.rmtree(folder, ignore_errors=True)
    tempfile.tempdir = None
    if before is None:
        del os.environ["TMPDIR"]
    else:
        os.environ["TMPDIR"] = before


def _is_distributed(config: pytest.Config) -> bool:
    return bool(config.getoption("numprocesses", default=None))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    """Record what exists when a test begins."""
    item.stash[_RAN_BEFORE] = _pids()
    yield
    item.stash[_BEFORE] = _temporary()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    """Fail the test if anything exists afterwards that did not when it began."""
    arguments = dict(getattr(item, "funcargs", {}))
    keys = [f"key {key}" for name in _SHARED_SERVERS for key in own_keys(arguments.get(name))]
    yield
    if _BEFORE not in item.stash:
        return
    if keys:
        pytest.fail(f"the test leaves behind: {', '.join(sorted(keys))}", pytrace=False)
    before = item.stash[_BEFORE]
    deadline = time.monotonic() + GRACE_SECONDS
    ran = item.stash[_RAN_BEFORE]
    while left := (_temporary() - before) | _of(arguments, ran):
        if time.monotonic() > deadline:
            pytest.fail(f"the test leaves behind: {', '.join(sorted(left))}", pytrace=False)
        time.sleep(0.05)


def _temporary() -> frozenset[str]:
    """Return the temporary files of this process."""
    return frozenset(map(str, Path(tempfile.gettempdir()).iterdir()))


def _pids() -> frozenset[str]:
    """Return the ids of all processes."""
    if sys.platform != "linux":
        return frozenset()
    names = os.listdir("/proc")  # noqa: PTH208 - a tenth of the time, for each test
    return frozenset(filter(str.isdigit, names))


def _processes(folder: Path, ran_before: frozenset[str]) -> set[str]:
    """Return the new processes whose folder or command line lies below that folder."""
    found = set()
    for name in _pids() - ran_before:
        try:
            with open(f"/proc/{name}/cmdline", "rb", buffering=0) as stream:  # noqa: PTH123 - as above
                command = stream.read()
            # Neither the kernel's processes nor those that have ended have a command line.
            place = os.readlink(f"/proc/{name}/cwd") if command else ""  # noqa: PTH115 - as above
        except OSError:
            continue
        if str(folder) in place or str(folder).encode() in command:
            found.add(f"process {name}: {command[:200].replace(bytes(1), b' ')!r}")
    return found


def own_keys(servers: Server | Cluster | Trio | None) -> set[str]:
    """Return the keys on the servers of a fixture that pawsctl made for itself."""
    if servers is None:
        return set()
    if isinstance(servers, Cluster):
        clients = [member.client for member in servers.members]
    elif isinstance(servers, Trio):
        clients = [servers.primary.client]
    else:
        clients = [servers.client]
    found = set()
    for client in clients:
        with client.pipeline(transaction=False) as pipe:
            for pattern in _OWN_KEYS:
                pipe.keys(pattern)
            found |= {key.decode() for keys in pipe.execute() for key in keys}
    return found


def _of(arguments: dict[str, Any], ran_before: frozenset[str]) -> set[str]:
    """Return the processes and Docker objects left behind by a test with these fixtures."""
    found = _processes(arguments["tmp_path"], ran_before) if "tmp_path" in arguments else set()
    if not {"docker_engine", "project"} <= set(arguments):
        return found
    api, named = arguments["docker_engine"].api, {"name": arguments["project"]}
    found |= {f"container {each['Names'][0]}" for each in api.containers(all=True, filters=named)}
    found |= {f"volume {each['Name']}" for each in api.volumes(filters=named)["Volumes"] or ()}
    return found | {f"network {each['Name']}" for each in api.networks(filters=named)}
