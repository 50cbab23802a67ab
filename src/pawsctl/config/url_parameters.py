"""Parse the query parameters of a Redis URL. Pure."""

from collections.abc import Sequence
from urllib.parse import parse_qsl

from pawsctl.config.target import Kind, Tls

_TLS = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_check_hostname", "ssl_cert_reqs")
_SENTINEL = ("sentinel_username", "sentinel_password", "sentinel_ssl", "sentinelMasterId")
# The parameter names of redis-py, Celery, Lettuce, PHP and Rust.
_ALIASES = {
    "database": "db",
    "virtual_host": "db",
    "sentinelMasterId": "service",
    "service_name": "service",
    "master_name": "service",
    "auth": "password",
    "pass": "password",
    "user": "username",
    "tls": "ssl",
    "sentinel_tls": "sentinel_ssl",
}
# Parameters that tune a program's own connections; where and as whom to connect is unaffected.
_TUNING = (
    *("health_check_interval", "socket_timeout", "socket_connect_timeout", "socket_keepalive"),
    *("socket_read_size", "retry_on_timeout", "retry_on_error", "max_connections", "timeout"),
    *("decode_responses", "encoding", "encoding_errors", "client_name", "clientName", "lib_name"),
    *("lib_version", "protocol", "family", "allowUsernameInURI", "single_connection_client"),
)
_SWITCH = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
_VERIFIED = {"required": True, "optional": True, "none": False, "2": True, "1": True, "0": False}


class UrlProblem(Exception):
    """A fault of a URL: `what` completes the sentence "The URL …", `hint` says how to fix it."""

    def __init__(self, what: str, *, hint: str) -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint


class Parameters:
    """The parameters of one URL. Raises UrlProblem for an unknown parameter or value."""

    def __init__(
        self, query: str, *, kind: Kind, scheme: str, secure: bool, has_login: bool
    ) -> None:
        self.unused: tuple[str, ...] = ()
        self._secure = secure
        known = ["db", *(() if has_login else ("username", "password"))]
        known += ["ssl"] if scheme != "unix" else []
        known += ["sentinel_ssl", "sentinel_username", "sentinel_password", "service"] * (
            kind == "sentinel"
        )
        shown = ["db", *(_TLS if secure else ()), *(_SENTINEL if kind == "sentinel" else ())]
        self._values: dict[str, str] = {}
        tls: dict[str, str] = {}
        for given, value in parse_qsl(query, keep_blank_values=True):
            name = _ALIASES.get(given, given)
            if name in _TUNING:
                self.unused += (name,)
            elif name in _TLS and scheme != "unix":
                tls[name] = value
            elif name in known:
                if self._values.setdefault(name, value) != value:
                    raise UrlProblem(f"names two values for {name}", hint="Leave one of them out.")
            else:
                raise _unknown(given, value, scheme, shown)
        if self._switch("ssl", default=secure) != secure:
            if secure:
                raise UrlProblem(
                    "has ssl=false and a scheme that means TLS",
                    hint="Leave the parameter out, or write redis:// for a server without TLS.",
                )
            self._secure = True
        self._sentinel_secure = self._switch("sentinel_ssl", default=self._secure)
        if tls and not self._secure and not self._sentinel_secure:
            raise UrlProblem(
                f"has a parameter of TLS, '{next(iter(tls))}', and a scheme that means none",
                hint=f"TLS parameters need a rediss scheme. Known for {scheme}://: "
                f"{', '.join(shown)}.",
            )
        self._files = _tls_of(tls)

    def text(self, name: str) -> str | None:
        """Return the value of a parameter, or None if it is missing or empty."""
        return self._values.get(name) or None

    def tls(self) -> Tls | None:
        """Return the TLS options for Redis, or None without TLS."""
        return self._files if self._secure else None

    def sentinel_tls(self) -> Tls | None:
        """Return the TLS options for the Sentinels, or None; they may differ from Redis."""
        return self._files if self._sentinel_secure else None

    def _switch(self, name: str, *, default: bool) -> bool:
        value = self._values.get(name)
        return default if value is None else _one_of(_SWITCH, name, value.lower(), "true or false")


def _one_of(values: dict[str, bool], name: str, value: str, wanted: str) -> bool:
    if value not in values:
        raise UrlProblem(f"has a strange {name}", hint=f"It is {wanted}.")
    return values[value]


def _tls_of(given: dict[str, str]) -> Tls:
    wanted = "required, optional or none"
    # Programs also write Python's constants: CERT_NONE, ssl.CERT_NONE.
    reqs = given.get("ssl_cert_reqs", "required").lower().removeprefix("ssl.")
    verify = _one_of(_VERIFIED, "ssl_cert_reqs", reqs.removeprefix("cert_"), wanted)
    check = given.get("ssl_check_hostname", str(verify)).lower()
    check_hostname = _one_of(_SWITCH, "ssl_check_hostname", check, "true or false")
    if check_hostname and not verify:
        raise UrlProblem(
            "has ssl_cert_reqs=none and ssl_check_hostname=true",
            hint="Leave one out: without its certificate, nobody knows a server's name.",
        )
    return Tls(
        ca_certs=given.get("ssl_ca_certs") or None,
        certfile=given.get("ssl_certfile") or None,
        keyfile=given.get("ssl_keyfile") or None,
        check_hostname=check_hostname,
        verify=verify,
    )


def _unknown(name: str, value: str, scheme: str, known: Sequence[str]) -> UrlProblem:
    hint = f"Known for {scheme}://: {', '.join(known)}."
    # Text that does not look like a parameter may be the rest of a password with a raw '?'.
    if not name.isidentifier() or len(name) > 30 or "@" in value:
        return UrlProblem(
            "has an unknown parameter", hint=f"A '?' in a password is written %3F. {hint}"
        )
    return UrlProblem(f"has an unknown parameter '{name}'", hint=hint)
