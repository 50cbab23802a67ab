"""Who holds a port of this machine."""

import psutil

from pawsctl.errors import Conflict


def holder(port: int) -> str:
    """The process that listens on TCP `port`, in words.

    macOS shows other users' sockets to root alone, and Linux hides their owner: then the words say
    that it is another program.
    """
    try:
        sockets = psutil.net_connections(kind="tcp")
        owners = [
            each.pid
            for each in sockets
            if each.status == psutil.CONN_LISTEN and each.laddr and each.laddr.port == port
        ]
        pid = next((pid for pid in owners if pid is not None), None)
        if pid is not None:
            return f"{psutil.Process(pid).name()} (process {pid})"
    except psutil.Error:
        pass
    return "another program"


def busy(port: int, setting: str, *, held_by: str) -> Conflict:
    """The failure to tell where `port` is taken; `setting` is the variable that names another."""
    return Conflict(
        f"Port {port} on 127.0.0.1 is in use by {held_by}.",
        hint=f"Stop that, or choose another port with {setting}.",
    )
