"""Save a server's data to disk before it is stopped; a server that can't save is not stopped."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

from pawsctl.connection import probe
from pawsctl.errors import Conflict
from pawsctl.stack.engine import append_only
from pawsctl.stack.engine.docker.objects import container_definition
from pawsctl.stack.engine.docker.takeover import command_line, data_place
from pawsctl.stack.engine.paused_writers import Writers

if TYPE_CHECKING:
    from pawsctl.stack.project.services import Service

# Seconds; enough for writing 256 MB to a slow disk.
_SAVE_TIMEOUT = 60.0
_TRIES = 3
_PAUSE = 0.05
_UNSAVED = "rdb_changes_since_last_save"


@contextmanager
def settled(service: Service, container: dict[str, Any], password: str | None) -> Iterator[None]:
    """Save the data and pause writers, if a stop of the server in the block would lose a key.

    Raises Conflict before the block if it can't save.
    """
    if not data_place.has_data(service) or not container_definition.is_running(container):
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
    # Its next start reads a file that a client has switched off meanwhile.
    appends = command_line.settings(container["Config"])["appendonly"] == "yes"
    if appends and server.port is not None and not server.silence:
        try:
            append_only.switch_on(server.port, password)
        except (probe.Refused, OSError) as error:
            _refuse(name, f"its append-only file was switched off, and can't be written ({error})")
        yield
        return
    if server.silence or server.port is None:
        if container["State"]["Paused"]:
            _refuse(
                name,
                "it does not write down each change, and can't save now (it is paused)",
                f"Continue it with 'docker unpause {name}', and run this again.",
            )
        # A server that refuses our login, or still loads, saves at shutdown if `save` is set.
        is_well = server.is_locked or "LOADING" in server.silence
        if server.is_guessed:
            _refuse(name, f"whether it keeps its data on disk is not known, since {server.silence}")
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
            save(server.port, password, writers)
        except (probe.Refused, OSError) as error:
            _refuse(name, f"it can't save what it holds ({error})")
        yield
    finally:
        writers.release()


def save(port: int, password: str | None, writers: Writers) -> None:
    """Save all acknowledged writes to disk, and leave writers paused.

    If the server is saving already, for a replica or by itself, that is waited for. Raises
    probe.Refused, OSError.
    """
    for _ in range(_TRIES):
        began = time.monotonic()
        _save_after_another(port, password)
        took = time.monotonic() - began
        writers.hold_again()
        if probe.info(port, password).get(_UNSAVED) == "0":
            return
        # The pause ran out during SAVE, in which the server does nothing else: the next one lasts
        # until it is done.
        writers.hold_again(longer=2 * took)
    raise probe.Refused("others write each time that it has saved")


def _save_after_another(port: int, password: str | None) -> None:
    deadline = time.monotonic() + _SAVE_TIMEOUT
    while True:
        try:
            probe.ask(port, password, ("SAVE",), timeout=_SAVE_TIMEOUT)
        except probe.Refused as error:
            if "in progress" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE)
        else:
            return


_TAKE_OVER = (
    "Run 'pawsctl redis up' first, which takes the data over into a volume; or delete it with "
    "'pawsctl redis down --volumes'."
)


def _refuse(name: str, reason: str, hint: str = _TAKE_OVER) -> NoReturn:
    raise Conflict(
        f"{name} would lose data if it were stopped: {reason}. It was not stopped.", hint=hint
    )
