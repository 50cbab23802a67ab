"""Warnings about this machine that do not keep Redis from running."""

import errno
import socket
import ssl
from collections.abc import Iterator, Sequence

from pawsctl.config.settings import Settings, StackSettings
from pawsctl.config.target import Address, Target
from pawsctl.connection import info_reply, probe
from pawsctl.stack import login_users
from pawsctl.stack.engine.protocol import ServiceUp

_SECONDS = 1.0
_MOST_NAMES = 3
_PASSWORD = "password"  # noqa: S105 - the name of what has changed
_LOOPBACKS = ("127.0.0.1", "::1")
_NO_SUCH_ADDRESS = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.ENETUNREACH)

HINT = (
    "Write 127.0.0.1 in REDIS_URL for the one that 'pawsctl redis up' runs, or [::1] for the other."
)


UNPROTECTED_HINT = (
    "Write REDIS_PASSWORD=random into .env: 'pawsctl redis up' then makes a password, and every "
    "command uses it."
)
LOGIN_KEPT = (
    "Its password is kept, and used by every command for which REDIS_PASSWORD=random is set; "
    "'pawsctl redis status -o env' prints the URL with it."
)


def of(settings: Settings, own: StackSettings, services: Sequence[ServiceUp]) -> Iterator[str]:
    """Yield the warnings to show after this project's Redis has started, a sentence or two each.

    The warning about a missing password comes only if Redis is new or its password has changed,
    not with every other change.
    """
    is_news = any(each.action != "recreated" or _PASSWORD in each.changed for each in services)
    if is_news and (open_to := unprotected(own)):
        yield f"{open_to} {UNPROTECTED_HINT}"
    if settings.text("REDIS_URL"):
        for address in two_servers(settings.redis_place()):
            yield f"{ambiguity(address)} {HINT}"


def unprotected(own: StackSettings) -> str:
    """Return a sentence if other users of this machine may read a Redis without password, or ''."""
    names = login_users.others() if own.redis_password is None else []
    if not names:
        return ""
    shown = ", ".join(names[:_MOST_NAMES]) + (" …" if len(names) > _MOST_NAMES else "")
    return (
        "This project's Redis has no password: other users of this machine "
        f"({shown}) can read, change and delete all that it holds."
    )


def ambiguity(address: Address) -> str:
    """Return the sentence that says that an address can mean two servers."""
    one, other = (Address(host, address.port) for host in _LOOPBACKS)
    return (
        f"{address} can mean two servers: {one} and {other} answer differently, and not all "
        "programs take the same."
    )


def two_servers(target: Target) -> list[Address]:
    """Return the addresses of a target whose host name leads to two servers on this machine."""
    return [each for each in target.addresses if _is_ambiguous(each, target)]


def _is_ambiguous(address: Address, target: Target) -> bool:
    if not _is_name_of_loopback(address):
        return False
    one, other = (_identity(host, address.port, target) for host in _LOOPBACKS)
    return bool(one and other and one != other)


def _is_name_of_loopback(address: Address) -> bool:
    """Whether a host name means loopback only; localhost always does, however it resolves here."""
    if address.host.lower() == "localhost":
        return True
    if address.host in _LOOPBACKS or address.host.replace(".", "").isdigit():
        return False
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return False
    return {str(each[4][0]) for each in found} == set(_LOOPBACKS)


def _identity(host: str, port: int, target: Target) -> str:
    """Return a text that identifies the server at a port, or '' if none listens.

    It is the server's certificate or run id, or else its error message.
    """
    try:
        if target.tls is not None:
            return ssl.get_server_certificate((host, port), timeout=_SECONDS)
        (reply,) = probe.ask(
            port,
            target.password,
            ("INFO", "server"),
            timeout=_SECONDS,
            host=host,
            username=target.username,
        )
    except ConnectionRefusedError:
        return ""
    except (OSError, ValueError, probe.Refused) as error:
        # A host without IPv6 has no second server.
        return "" if getattr(error, "errno", None) in _NO_SUCH_ADDRESS else repr(error)
    return info_reply.fields(reply).get("run_id", repr(reply))
