"""Find the embedded servers that run below a folder, and kill one."""

import os
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path

import psutil

from tests.processes import wait_until


def servers_below(folder: Path) -> list[psutil.Process]:
    """Return the valkey-servers that work below a folder and have not ended.

    Not by `psutil.process_iter`: it keeps the processes that it saw, and leaves out a process whose
    id was reused for one call after that is noticed.
    """
    found = []
    for pid in filter(partial(_may_be_below, folder), psutil.pids()):
        with suppress(psutil.Error):
            process = psutil.Process(pid)
            if (
                process.name() == "valkey-server"
                and folder in Path(process.cwd()).parents
                and process.status() != psutil.STATUS_ZOMBIE
            ):
                found.append(process)
    return found


def _may_be_below(folder: Path, pid: int) -> bool:
    """Return False for processes that work elsewhere, where that is quickly found out.

    Tests look again and again, at hundreds of processes, until a server runs or has ended.
    """
    try:
        place = os.readlink(f"/proc/{pid}/cwd")  # noqa: PTH115 - half the time
    except OSError:
        return sys.platform != "linux"
    return place.startswith(str(folder))


def kill(process: psutil.Process) -> None:
    """Kill a server as a power cut would; return when it has ended.

    Not psutil's wait, which also waits until the process is reaped.
    """
    process.kill()
    wait_until(lambda: _has_ended(process), f"the end of {process}")


def _has_ended(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
