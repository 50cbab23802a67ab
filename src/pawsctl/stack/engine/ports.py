"""Whether a port of this machine is free, and who holds it."""

import socket
import sys

import psutil

from pawsctl.connection.probe import HOST
from pawsctl.errors import Conflict


def is_free(port: int) -> bool:
    """Whether a server could listen on `port`.

    Checked before starting one: otherwise whoever holds the port would answer, and be taken for
    ours.
    """
    with socket.socket() as probe:
        if sys.platform != "win32":
            # As the server does: a port whose last connections linger is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


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
