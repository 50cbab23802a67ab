"""Find the embedded servers that run below a folder."""

from contextlib import suppress
from pathlib import Path

import psutil


def servers_below(folder: Path) -> list[psutil.Process]:
    """Return the valkey-servers that work below a folder and have not ended.

    Not by `psutil.process_iter`: it keeps the processes that it saw, and leaves out a process whose
    id was reused for one call after that is noticed.
    """
    found = []
    for pid in psutil.pids():
        with suppress(psutil.Error):
            process = psutil.Process(pid)
            if (
                process.name() == "valkey-server"
                and folder in Path(process.cwd()).parents
                and process.status() != psutil.STATUS_ZOMBIE
            ):
                found.append(process)
    return found
