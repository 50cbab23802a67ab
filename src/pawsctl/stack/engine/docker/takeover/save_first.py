"""A server that is about to be stopped has all that it holds on disk first, or is not stopped."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

from pawsctl.connection import probe
from pawsctl.errors import Conflict
from pawsctl.stack.engine.docker.takeover import data_place
from pawsctl.stack.engine.paused_writers import Writers

if TYPE_CHECKING:
    from pawsctl.stack.project.services import Service

# Seconds for writing 256 MB on a slow disk.
_SAVE_TIMEOUT = 60.0
_TRIES = 3
_UNSAVED = "rdb_changes_since_last_save"


@contextmanager
def settled(service: Service, container: dict[str, Any], password: str | None) -> Iterator[None]:
    """Have the server save, and writers wait, where stopping it in the block would lose a key.

    Raises Conflict if it can't save: it is then not stopped.
    """
    if not data_place.has_data(service):
        yield
        return
    server = data_place.server(service, container, password)
    place = data_place.place(service, container, server)
    name = container["Name"].removeprefix("/")
    if place.is_memory:
        _refuse(name, "its data lies in memory, and ends with it")
    if server.settings["appendonly"] == "yes":
        yield
        return
    if server.silence or server.port is None:
        # What logs nobody in saves by itself at the end, if it has been told when to save.
        is_well = server.is_locked or "LOADING" in server.silence
        if not (is_well and server.settings["save"]):
            _refuse(
                name, f"it does not write down each change, and can't save now ({server.silence})"
            )
        yield
        return
    writers = Writers(server.port, password)
    try:
        try:
            writers.hold()
            _save(server.port, password, writers)
        except (probe.Refused, OSError) as error:
            _refuse(name, f"it can't save what it holds ({error})")
        yield
    finally:
        writers.release()


def _save(port: int, password: str | None, writers: Writers) -> None:
    """Have all on disk that was ever acknowledged. Raises wire.Refused, OSError."""
    for _ in range(_TRIES):
        probe.ask(port, password, ("SAVE",), timeout=_SAVE_TIMEOUT)
        writers.hold_again()
        # It does nothing else while it saves, and a pause may run out.
        if probe.info(port, password).get(_UNSAVED) == "0":
            return
    raise probe.Refused("others write each time that it has saved")


def _refuse(name: str, reason: str) -> NoReturn:
    raise Conflict(
        f"{name} would lose data if it were stopped: {reason}. It was not stopped.",
        hint="Run 'pawsctl redis up' first, which takes the data over into a volume; or delete it "
        "with 'pawsctl redis down --volumes'.",
    )
