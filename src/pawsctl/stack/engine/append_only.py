"""The append-only file of a server: whether it holds all data, and the next start will find it."""

import time
from collections.abc import Mapping

from pawsctl.connection import info_reply, probe

_PAUSE = 0.05
# Seconds; enough for writing 256 MB to a slow disk.
_PATIENCE = 60.0


def is_written(info: Mapping[str, str]) -> bool:
    """Whether all data of a server is in its append-only file, by the fields of its INFO."""
    return (
        info.get("aof_enabled") == "1"
        and info.get("aof_rewrite_in_progress") == "0"
        and info.get("aof_rewrite_scheduled") == "0"
        and info.get("aof_last_bgrewrite_status") == "ok"
        and info.get("aof_last_write_status", "ok") == "ok"
    )


def switch_on(port: int, password: str | None) -> None:
    """Switch the file on again if a client switched it off, and wait until all data is in it.

    Its next start reads that file, and would find the data as it was when it was switched off. Does
    nothing if the server does not tell. Raises probe.Refused or OSError if it can't be written.
    """
    try:
        (found,) = probe.ask(port, password, ("CONFIG", "GET", "appendonly"))
    except (probe.Refused, OSError):
        return
    if len(found) != 2 or info_reply.text(found[1]) != "no":
        return
    deadline = time.monotonic() + _PATIENCE
    probe.ask(port, password, ("CONFIG", "SET", "appendonly", "yes"))
    while not is_written(probe.info(port, password)):
        if time.monotonic() > deadline:
            raise TimeoutError(0, f"it is not written after {_PATIENCE:g} s")
        time.sleep(_PAUSE)
