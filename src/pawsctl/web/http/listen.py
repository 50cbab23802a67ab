"""The sockets that the server listens on."""

import errno
import socket
import sys

import psutil

from pawsctl.errors import Conflict, OperationFailed, UsageError
from pawsctl.stack.engine import ports

_BACKLOG = 2048


def sockets(host: str, port: int) -> list[socket.socket]:
    """Return a listening socket for each address of a host; port 0 takes a free one.

    `::` is every address of this machine, those of IPv4 too. Raises Conflict if the port is taken,
    UsageError for a host that is not of this machine, and
    OperationFailed if the system does not allow it.
    """
    if not host:
        raise UsageError("--host names no address.", hint="127.0.0.1 is this machine itself.")
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (socket.gaierror, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(
            f"--host {host} has no address: {reason}.", hint="127.0.0.1 is this machine itself."
        ) from error
    if any(address[0] == "::" for *_, address in found) and _has_ipv4():
        found.append((socket.AF_INET, socket.SOCK_STREAM, 0, "", ("0.0.0.0", port)))  # noqa: S104
    opened: list[socket.socket] = []
    try:
        for family, _, _, _, address in dict.fromkeys(found):
            # With port 0, all addresses get the port of the first.
            chosen = opened[0].getsockname()[1] if opened else port
            opened.append(_listening(family, (address[0], chosen, *address[2:])))
    except BaseException as error:
        for each in opened:
            each.close()
        if isinstance(error, OSError):
            raise _explained(error, host, port) from error
        raise
    return opened


def _has_ipv4() -> bool:
    return any(
        each.family == socket.AF_INET for card in psutil.net_if_addrs().values() for each in card
    )


def _listening(family: int, address: tuple[object, ...]) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        if sys.platform == "win32":
            # There, SO_REUSEADDR would let two servers have the same port.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
        listener.setblocking(False)
    except BaseException:
        listener.close()
        raise
    return listener


def _explained(error: OSError, host: str, port: int) -> Exception:
    if error.errno == errno.EADDRINUSE:
        who, remedy = ports.use(port)
        return Conflict(
            f"Port {port} on {host} is in use by {who}.",
            hint=f"{remedy}, or choose another port with --port.",
        )
    if error.errno == errno.EADDRNOTAVAIL:
        addresses = sorted(
            each.address
            for of_card in psutil.net_if_addrs().values()
            for each in of_card
            if each.family == socket.AF_INET
        )
        return UsageError(
            f"--host {host} is no address of this machine.",
            hint=f"It has {', '.join(addresses)}; 0.0.0.0 is all of them.",
        )
    reason = error.strerror or str(error)
    return OperationFailed(
        f"pawsctl can't listen on port {port} of {host}: {reason}.",
        hint="Ports below 1024 belong to root; choose another with --port.",
    )


def url(listener: socket.socket) -> str:
    """Return the URL at which a listening socket is reached from this machine."""
    host, port = listener.getsockname()[:2]
    reached = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return f"http://[{reached}]:{port}" if ":" in reached else f"http://{reached}:{port}"
