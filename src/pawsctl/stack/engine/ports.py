"""Check whether a port of this machine is free, and find the program that holds it."""

import socket
import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import NamedTuple

from pawsctl.connection.probe import HOST
from pawsctl.errors import Conflict
from pawsctl.stack.project import layout
from pawsctl.stack.project.project import port_setting
from pawsctl.stack.project.services import Service

# Connections from these addresses keep a server from 127.0.0.1; others do not.
_OWN = (HOST, f"::ffff:{HOST}")


class Use(NamedTuple):
    """The user of a port, in words, and what frees it."""

    who: str
    remedy: str


class _Socket(NamedTuple):
    """A TCP socket; `pid` is None if the system does not tell its owner."""

    address: str
    state: str
    pid: int | None


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


def use(port: int) -> Use:
    """Return who uses a TCP port that is not free.

    macOS shows other users' sockets only to root, and Linux hides their owner: then it is "another
    program".
    """
    # Imported here: psutil takes some milliseconds, and a port is rarely taken.
    import psutil

    found = _sockets(port)
    listening = [each for each in found if each.state == psutil.CONN_LISTEN]
    own = [each for each in found if each.address in _OWN]
    going = [each for each in own if each.state != psutil.CONN_TIME_WAIT]
    if listening or not own:
        return Use(_owner(listening), "Stop that")
    if going:
        who = f"an outgoing connection of {_owner(going)}: nobody listens there"
        return Use(who, "Try again once that has ended")
    who = "a connection that has just ended: nobody listens there"
    return Use(who, "It is free within a minute: try again then")


def busy(service: Service, port: int, *, held_by: str = "") -> Conflict:
    """Return the error for a taken port of a service; `held_by` is known to listen there."""
    who, remedy = Use(held_by, "Stop that") if held_by else use(port)
    setting, offset = port_setting(service), layout.offset(service, port)
    need, other = "", f"another port with {setting}"
    if offset:
        need, other = (
            f"; {service.key} needs it, which is {setting} + {offset}",
            f"another {setting}",
        )
    return Conflict(
        f"Port {port} on 127.0.0.1 is in use by {who}{need}.",
        hint=f"{remedy}, or choose {other}.",
    )


def _sockets(port: int) -> list[_Socket]:
    import psutil

    with suppress(psutil.Error):
        return [
            _Socket(each.laddr.ip, each.status, each.pid)
            for each in psutil.net_connections(kind="tcp")
            if each.laddr and each.laddr.port == port
        ]
    return []


def _owner(sockets: Iterable[_Socket]) -> str:
    import psutil

    with suppress(psutil.Error):
        for each in sockets:
            if each.pid is not None:
                return f"{psutil.Process(each.pid).name()} (process {each.pid})"
    return "another program"
