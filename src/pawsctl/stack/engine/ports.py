"""Check whether a port of this machine is free, and find the program that holds it."""

import socket
import sys

import psutil

from pawsctl.connection.probe import HOST
from pawsctl.errors import Conflict


def is_free(port: int) -> bool:
    """Whether a server could listen on `port`.

    Checked before a server starts: otherwise another program on the port would answer and be taken
    for our server.
    """
    with socket.socket() as probe:
        if sys.platform != "win32":
            # As the server does: a port with connections in TIME_WAIT counts as free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def holder(port: int) -> str:
    """Return a description of the process that listens on TCP `port`.

    macOS shows other users' sockets only to root, and Linux hides their owner: then it is "another
    program".
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
    """Return the error for a taken `port`; `setting` is the variable that sets another port."""
    return Conflict(
        f"Port {port} on 127.0.0.1 is in use by {held_by}.",
        hint=f"Stop that, or choose another port with {setting}.",
    )
