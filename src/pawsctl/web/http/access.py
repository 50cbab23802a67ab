"""Who may ask: the names that this server has, and the token for what tells of sessions."""

import hmac
import ipaddress
import re
from collections.abc import Sequence

from starlette.requests import Request

from pawsctl.config.target import is_loopback
from pawsctl.errors import UsageError
from pawsctl.web.http import requests

# Headers that proxies and tunnels add to a request from elsewhere.
_FORWARDED = (
    *("forwarded", "via", "x-real-ip", "true-client-ip", "cf-connecting-ip"),
    *("x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"),
)
_HOST_NAME = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?", re.ASCII)


class Access:
    """The rules for a server that listens at some hosts; `names` are others that lead to it.

    Raises UsageError for a name that no request can have.
    """

    def __init__(self, hosts: Sequence[str], names: Sequence[str], token: str) -> None:
        self.is_local = all(map(is_loopback, hosts))
        self._names = {*(each.lower().rstrip(".") for each in hosts), *map(_allowed, names)}
        self._token = token

    def is_ours(self, host: str | None) -> bool:
        """Return whether a Host header names this server.

        A page on another site can have a name of its own lead here, and would then be let read the
        answers. It can't do so with an address, so that any address is right. Browsers send the
        header always; a probe of HTTP/1.0 need not.
        """
        if host is None:
            return True
        name = _name(host)
        return name is not None and (_is_address(name) or name in self._names | {"localhost"})

    def require_token(self, request: Request) -> None:
        """Refuse a request for sessions without the token, unless it comes from this machine.

        Raises Refused.
        """
        host = request.headers.get("host")
        is_from_here = self.is_local and (host is None or is_loopback(_name(host) or ""))
        if is_from_here and not any(name in request.headers for name in _FORWARDED):
            return
        if not self._token:
            raise requests.Refused(
                403,
                "Sessions are told beyond this machine only to who has the token, and none is set: "
                "start pawsctl serve with PAWSCTL_SERVE_TOKEN.",
            )
        scheme, _, sent = request.headers.get("authorization", "").partition(" ")
        given = sent.strip().encode("utf-8", "replace")
        if scheme.lower() != "bearer" or not hmac.compare_digest(given, self._token.encode()):
            raise requests.Refused(
                401,
                "Send the token of PAWSCTL_SERVE_TOKEN as 'Authorization: Bearer TOKEN'.",
                www_authenticate="Bearer",
            )


def _allowed(text: str) -> str:
    """Return the name that --allow-host gives. Raises UsageError for what is none."""
    name = _name(text)
    if name is None or not (_HOST_NAME.fullmatch(name) or _is_address(name)):
        raise UsageError(
            f"--allow-host '{text}' is no host name.",
            hint="Write the name alone, such as pawsctl.default.svc; repeat the option for others.",
        )
    return name


def _name(host: str) -> str | None:
    """Return the name in a Host header without its port; None if there is none."""
    name, colon, port = host.strip().lower().rpartition(":")
    if not colon or host.rstrip().endswith("]"):
        name = host.strip().lower()
    elif port and not (port.isascii() and port.isdigit()):
        return None
    if name.startswith("[") and name.endswith("]"):
        name = name[1:-1]
    return name.rstrip(".") or None


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
