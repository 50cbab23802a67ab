"""A container that a killed Docker Engine takes for stopped, and that still runs.

A dockerd that is killed while it starts or stops a container may not know that container's shim any
more, the process that runs it. It does not find it when it is started again, refuses to start the
container, and removes it without ending what runs in it: a server that goes on with its data.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pawsctl.errors import Conflict
from pawsctl.stack.engine.docker.sdk import refusals

if TYPE_CHECKING:
    from docker.api import APIClient

_SHIM = "containerd-shim"
# Seconds that a shim may take to end after its container.
_GRACE = 5.0
_PAUSE = 0.1


def check(api: APIClient, container_id: str) -> None:
    """Raise Conflict if Docker takes a container for stopped whose shim still runs.

    Only on Linux, where the engine's processes are in sight: elsewhere they are in a virtual
    machine.
    """
    from docker.errors import NotFound

    deadline = time.monotonic() + _GRACE
    while pid := _shim(container_id):
        try:
            found = api.inspect_container(container_id)
        except NotFound:
            return
        if found["State"]["Running"]:
            return
        if time.monotonic() > deadline:
            name = found["Name"].removeprefix("/")
            raise Conflict(
                f"Docker says that {name} does not run, but its process {pid} ({_SHIM}) does: "
                "Docker was killed while it started or stopped the container, and what runs in it "
                "may still use the data. It was left as it is.",
                hint=_ending(pid),
            )
        time.sleep(_PAUSE)


def hint(container_id: str, reason: str) -> str:
    """Return how to end the shim that keeps a container from starting, "" if none is seen.

    `reason` is Docker's error.
    """
    pid = _shim(container_id) if _is_left(reason) else None
    if pid is None:
        return ""
    return f"Docker was killed while it started or stopped this container. {_ending(pid)}"


def is_cleared_up(container_id: str, reason: str) -> bool:
    """Whether Docker's error says that something is left of a container whose shim has ended.

    Just after the end of the shim, containerd still clears up.
    """
    return _is_left(reason) and _shim(container_id) is None


def _is_left(reason: str) -> bool:
    return any(each in reason.lower() for each in refusals.LEFT)


def _ending(pid: int) -> str:
    return (
        f"End the container's process with 'sudo kill -KILL {pid}', which ends what still runs in "
        "it, too, and run this again."
    )


def _shim(container_id: str) -> int | None:
    """Return the process id of a container's shim, or None."""
    # Imported here: psutil takes some milliseconds, and this is rarely asked.
    import psutil

    for process in psutil.process_iter(["cmdline"]):
        if _is_shim(process.info["cmdline"] or (), container_id):
            return int(process.pid)
    return None


def _is_shim(words: Sequence[str], container_id: str) -> bool:
    return bool(words) and _SHIM in words[0] and container_id in words[1:]
