"""Save a server's data to disk with SAVE, while writers are paused."""

import time

from pawsctl.connection import probe
from pawsctl.stack.engine.paused_writers import Writers

# Seconds; enough for writing 256 MB to a slow disk.
_SAVE_TIMEOUT = 60.0
_TRIES = 3
_PAUSE = 0.05
_UNSAVED = "rdb_changes_since_last_save"


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
