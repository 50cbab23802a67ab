"""The append-only file of a server: whether it holds all data, and the next start will find it."""

import time
from collections.abc import Callable, Mapping

from pawsctl.connection import info_reply, probe

_PAUSE = 0.05
# Seconds; enough for writing 256 MB to a slow disk.
_PATIENCE = 60.0
# Seconds after a failed write; the server tries again each second.
_BROKEN = 3.0


class NotWritten(Exception):
    """The file can't be written; the message says why."""


def is_written(info: Mapping[str, str]) -> bool:
    """Whether a file that was just switched on holds all data, by the fields of INFO."""
    return holds_all(info) and info.get("aof_last_bgrewrite_status") == "ok"


def holds_all(info: Mapping[str, str]) -> bool:
    """Whether all data of a server is in its append-only file, by the fields of its INFO.

    A file that was switched on is written by a rewrite, which is scheduled again until it succeeds.
    """
    return (
        info.get("aof_enabled") == "1"
        and info.get("aof_rewrite_in_progress") == "0"
        and info.get("aof_rewrite_scheduled") == "0"
        and info.get("aof_last_write_status", "ok") == "ok"
    )


def complete(port: int, password: str | None, is_there: Callable[[], bool] | None = None) -> None:
    """Have the append-only file hold all data: the next start reads nothing else.

    A client may have switched it off, or just on again; the disk may be full; somebody may have
    removed its files, which `is_there` looks for. Raises NotWritten, probe.Refused or OSError if
    the server does not tell, and what `is_there` raises.
    """
    info = _info(port, password)
    if info.get("loading") == "1":
        # It has changed none of its data, and says of its file that it is off.
        return
    if info.get("aof_enabled") == "0":
        try:
            probe.ask(port, password, ("CONFIG", "SET", "appendonly", "yes"))
        except probe.Refused as error:
            raise NotWritten(f"it is off, and {error}") from error
    # A server that still loads its data has changed none.
    if not _is_written_in_time(info, port, password) or is_there is None or is_there():
        return
    try:
        probe.ask(port, password, ("BGREWRITEAOF",))
    except probe.Refused as error:
        raise NotWritten(f"it was removed, and {error}") from error
    _is_written_in_time(_info(port, password), port, password)
    if not is_there():
        raise NotWritten("it was removed, and the server can't write it anew")


def _is_written_in_time(info: dict[str, str], port: int, password: str | None) -> bool:
    """Wait until the file holds all data; return False if the server loads. Raises NotWritten."""
    begun = well = time.monotonic()
    while not holds_all(info):
        if info.get("loading") == "1":
            return False
        now = time.monotonic()
        if not _is_broken(info):
            well = now
        if now > well + _BROKEN:
            raise NotWritten("the server can't write it")
        if now > begun + _PATIENCE:
            raise NotWritten(f"it is not written after {_PATIENCE:g} s")
        time.sleep(_PAUSE)
        info = _info(port, password)
    return info.get("loading") != "1"


def _is_broken(info: Mapping[str, str]) -> bool:
    """Whether a write has failed, and nothing that would write again is under way."""
    if info.get("aof_last_write_status", "ok") != "ok":
        return True
    is_busy = "1" in (info.get("rdb_bgsave_in_progress"), info.get("aof_rewrite_in_progress"))
    return info.get("aof_last_bgrewrite_status") != "ok" and not is_busy


def _info(port: int, password: str | None) -> dict[str, str]:
    (reply,) = probe.ask(port, password, ("INFO", "persistence"))
    info = info_reply.fields(reply)
    if "aof_enabled" not in info:
        raise probe.Refused("INFO tells nothing of it")
    return info
