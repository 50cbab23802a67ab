"""Find a server whose folder was moved or renamed while it ran: it works where its folder is now.

Such a server is only reported: its next start would not find its data. It is surely the one that
was started for a place if its record says so, by the process id and the time of its start.
"""

from __future__ import annotations

import shlex
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from pawsctl.errors import Conflict
from pawsctl.stack.engine import ports
from pawsctl.stack.engine.embedded.server_process import PROGRAM, ServerProcess, ServerRecord

if TYPE_CHECKING:
    import psutil

# Seconds by which two readings of the time of a start may differ.
_SAME = 0.01


class Moved(NamedTuple):
    """A server that runs, its record, and the folder that it works in now."""

    process: psutil.Process
    record: ServerRecord
    place: Path


def find(server: ServerProcess, port: int) -> Moved | None:
    """Return the server that was started in a place and now works elsewhere, or None.

    If its record was moved, too, it is found by the `port` that it listens on.
    """
    if server.process() is not None:
        return None
    record = server.record()
    if record is not None:
        return _moved(record, server.data) if record.pid else None
    if ports.is_free(port):
        return None
    record = _record_of_listener(port)
    return _moved(record, server.data) if record else None


def conflict(name: str, data: Path, moved: Moved) -> Conflict:
    """Return the error for a server that was started in `data`."""
    now, before = moved.place, data
    while now.name == before.name and not before.parent.exists():
        now, before = now.parent, before.parent
    way_back = f"Move it back with '{shlex.join(['mv', str(now), str(before)])}' first."
    if before.exists():
        way_back = f"Move what is in {before} away, and {now} back there first."
    return Conflict(
        f"{name} runs (process {moved.process.pid}) in {moved.place}: its folder was moved there "
        f"from {data}, where its next start would look for its data.",
        hint=way_back,
    )


def _moved(record: ServerRecord, data: Path) -> Moved | None:
    """Return the server of a record if it was started for `data` and works elsewhere."""
    import psutil

    if not any(word == str(data) or word.startswith(f"{data}/") for word in record.arguments):
        return None
    with suppress(psutil.Error):
        process = psutil.Process(record.pid)
        place = Path(process.cwd())
        if (
            process.name() == PROGRAM
            and process.status() != psutil.STATUS_ZOMBIE
            and abs(process.create_time() - record.started) < _SAME
            and place != data.resolve()
        ):
            return Moved(process, record, place)
    return None


def _record_of_listener(port: int) -> ServerRecord | None:
    """Return the record beside the folder in which the server on a port works, if it is its own."""
    import psutil

    with suppress(psutil.Error, OSError, msgspec.DecodeError):
        for each in psutil.net_connections(kind="tcp"):
            is_there = each.laddr and each.laddr.port == port
            if not is_there or each.status != psutil.CONN_LISTEN or each.pid is None:
                continue
            folder = Path(psutil.Process(each.pid).cwd()).parent
            found = msgspec.json.decode((folder / "server.json").read_bytes(), type=ServerRecord)
            return found if found.pid == each.pid else None
    return None
