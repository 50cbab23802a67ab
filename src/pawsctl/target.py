"""A Redis URL taken apart: where to connect, as whom, and how.

Pure: nothing is resolved or connected. The forms are those of redis-py (`redis://`, `rediss://`,
`unix://`), of Sentinel clients (`redis+sentinel://h1,h2/SERVICE/DB`, and Lettuce's
`redis-sentinel://h1,h2?sentinelMasterId=SERVICE`) and `redis+cluster://h1,h2`.
"""

import re
from typing import Literal
from urllib.parse import parse_qsl, quote, unquote

import msgspec
from msgspec.structs import replace

from pawsctl.errors import UsageError

Kind = Literal["standalone", "sentinel", "cluster"]

REDIS_PORT = 6379
SENTINEL_PORT = 26379
# Redis keeps the number of a database in 32 bits.
MOST_DATABASE = 2**31 - 1

_SCHEMES: dict[str, tuple[Kind, bool]] = {
    "redis": ("standalone", False),
    "rediss": ("standalone", True),
    "unix": ("standalone", False),
    "redis+sentinel": ("sentinel", False),
    "rediss+sentinel": ("sentinel", True),
    "redis-sentinel": ("sentinel", False),
    "rediss-sentinel": ("sentinel", True),
    "redis+cluster": ("cluster", False),
    "rediss+cluster": ("cluster", True),
}
_TLS_PARAMETERS = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_check_hostname")
_SENTINEL_PARAMETERS = ("sentinel_username", "sentinel_password", "sentinelMasterId")


class Address(msgspec.Struct, frozen=True):
    """A host and a TCP port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Tls(msgspec.Struct, frozen=True):
    """Paths of PEM files, as redis-py names them; None leaves it to the system's store."""

    ca_certs: str | None = None
    certfile: str | None = None
    keyfile: str | None = None
    check_hostname: bool = True


class Target(msgspec.Struct, frozen=True):
    """Where a command's Redis is; `origin` says which setting named it.

    `is_member`: one server of several, found through a Sentinel or a cluster. `password_stays`: the
    password is for servers on this machine, and none that these name elsewhere is given it.
    """

    kind: Kind
    addresses: tuple[Address, ...]
    origin: str
    path: str | None = None
    username: str | None = None
    password: str | None = None
    db: int = 0
    tls: Tls | None = None
    service: str | None = None
    sentinel_username: str | None = None
    sentinel_password: str | None = None
    is_member: bool = False
    password_stays: bool = False

    @property
    def may_be_ours(self) -> bool:
        """Whether `redis up` starts a server at this address.

        It does so at the default one, and at a single server of REDIS_URL's on this machine; not
        at what --url names, but for the port that needs no setting.
        """
        if self.kind != "standalone" or self.is_member or self.path or self.tls:
            return False
        address = self.addresses[0]
        is_named = self.origin != "option --url" or address.port == REDIS_PORT
        return is_named and is_published(address.host)

    @property
    def is_local(self) -> bool:
        """Whether every address is this machine's loopback, or a Unix socket."""
        return self.path is not None or all(is_loopback(each.host) for each in self.addresses)

    @property
    def host(self) -> str:
        """The first host, or the path of the socket."""
        return self.path or self.addresses[0].host

    @property
    def url(self) -> str:
        """The URL without its passwords, fit to be shown."""
        if self.path is not None:
            return f"unix://{self.path}" + (f"?db={self.db}" if self.db else "")
        secure = "rediss" if self.tls else "redis"
        scheme = secure if self.kind == "standalone" else f"{secure}+{self.kind}"
        user = f"{quote(self.username, safe='')}@" if self.username else ""
        parts = ([quote(self.service, safe="")] if self.service else []) + (
            [str(self.db)] if self.db else []
        )
        hosts = ",".join(str(each) for each in self.addresses)
        return f"{scheme}://{user}{hosts}" + "".join(f"/{part}" for part in parts)

    def with_db(self, number: int) -> "Target":
        """The same place with another database. Raises UsageError for a cluster, which has one."""
        if number and self.kind == "cluster":
            raise UsageError(
                f"Database {number} was asked for, and a cluster has only database 0.",
                hint="Leave -n out.",
            )
        return replace(self, db=number)

    def with_login(self, username: str | None, password: str | None) -> "Target":
        """The same place with a login completed."""
        return replace(self, username=username, password=password)


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine under a name or number that never leaves it."""
    return host.lower() in ("localhost", "::1") or bool(re.fullmatch(r"127(\.\d{1,3}){3}", host))


def is_published(host: str) -> bool:
    """Whether what this project runs may be meant by `host`: it listens on 127.0.0.1 alone."""
    return host.lower() in ("localhost", "127.0.0.1")


def parse(url: str, *, origin: str) -> Target:
    """Take `url` apart; `origin` names the setting it came from, for messages.

    Raises UsageError, which never quotes the URL: it may hold a password.
    """
    return _Parser(url, origin).target()


class _Parser:
    def __init__(self, url: str, origin: str) -> None:
        self.origin = origin
        self.scheme, separator, rest = url.strip().partition("://")
        if not separator or self.scheme not in _SCHEMES:
            raise self.error(
                "is not a Redis URL",
                hint="Write it like redis://127.0.0.1:6379; known schemes: "
                + ", ".join(f"{scheme}://" for scheme in _SCHEMES),
            )
        self.kind, self.secure = _SCHEMES[self.scheme]
        if "#" in rest:
            raise self.error("holds a '#'", hint="Percent-encode it in the password: %23.")
        authority_and_path, _, query = rest.partition("?")
        authority, _, self.path = authority_and_path.partition("/")
        self.login, _, self.hosts = authority.rpartition("@")
        self.query = self.read_query(query)

    def error(self, what: str, *, hint: str) -> UsageError:
        return UsageError(f"The URL from {self.origin} {what}.", hint=hint)

    def read_query(self, query: str) -> dict[str, str]:
        known = ["db"]
        if self.secure:
            known += _TLS_PARAMETERS
        if self.kind == "sentinel":
            known += _SENTINEL_PARAMETERS
        pairs = dict(parse_qsl(query, keep_blank_values=True))
        for name, value in pairs.items():
            if name not in known:
                hint = f"Known for {self.scheme}://: {', '.join(known)}."
                if name in _TLS_PARAMETERS:
                    hint = f"TLS parameters need a rediss scheme. {hint}"
                # What looks like no parameter may be the rest of a password with a raw '?'.
                if not name.isidentifier() or len(name) > 30 or "@" in value:
                    raise self.error(
                        "has an unknown parameter",
                        hint=f"A '?' in a password is written %3F. {hint}",
                    )
                raise self.error(f"has an unknown parameter '{name}'", hint=hint)
        return pairs

    def target(self) -> Target:
        user, _, password = self.login.partition(":")
        target = Target(
            kind=self.kind,
            addresses=(),
            origin=self.origin,
            username=unquote(user) or None,
            password=unquote(password) or None,
            tls=self.tls() if self.secure else None,
        )
        if self.scheme == "unix":
            # redis-py's form: unix://[user:password@]/path/to.sock?db=0
            path = "/" + unquote(self.path)
            if self.hosts or path == "/":
                raise self.error(
                    "has no socket path", hint="Write it like unix:///run/redis/redis.sock."
                )
            return replace(target, path=path, db=self.db(""))
        if self.kind == "sentinel":
            service, _, db = self.path.partition("/")
            service = unquote(service) or self.query.get("sentinelMasterId", "")
            if not service:
                raise self.error(
                    "names no Sentinel service",
                    hint="Write it like redis+sentinel://host1:26379,host2:26379/mymaster.",
                )
            # It may be the rest of a password with a raw '/'.
            if "@" in service:
                raise self.error(
                    "has no service where one should stand",
                    hint="Percent-encode special characters of a password (/ is %2F).",
                )
            return replace(
                target,
                addresses=self.addresses(SENTINEL_PORT),
                service=service,
                db=self.db(db),
                sentinel_username=self.query.get("sentinel_username"),
                sentinel_password=self.query.get("sentinel_password"),
            )
        db_number = self.db(self.path)
        if self.kind == "cluster" and db_number:
            raise self.error(
                "names a database, and a cluster has only database 0", hint="Leave it out."
            )
        return replace(target, addresses=self.addresses(REDIS_PORT), db=db_number)

    def db(self, path: str) -> int:
        named, asked = path.rstrip("/"), self.query.get("db", "")
        if named and asked and named != asked:
            raise self.error("names two databases", hint="Leave out the path or ?db=.")
        text = named or asked or "0"
        # What stands before the last @ is a password's, with a / that cut it off.
        if "@" in text:
            raise self.error(
                "has no number where its database stands",
                hint="Percent-encode special characters of a password (/ is %2F, ? is %3F, "
                "# is %23, @ is %40).",
            )
        if not re.fullmatch(r"[0-9]{1,10}", text) or int(text) > MOST_DATABASE:
            raise self.error(
                "has no number where its database stands",
                hint=f"A database is a number from 0 to {MOST_DATABASE}: redis://127.0.0.1:6379/0.",
            )
        return int(text)

    def addresses(self, default_port: int) -> tuple[Address, ...]:
        hosts = self.hosts.split(",")
        if self.kind == "standalone" and len(hosts) > 1:
            raise self.error(
                "names several hosts",
                hint="Use redis+sentinel://… or redis+cluster://… for more than one.",
            )
        return tuple(self.address(each, default_port) for each in hosts)

    def address(self, text: str, default_port: int) -> Address:
        host, port = text, ""
        if text.startswith("["):
            host, _, port = text[1:].partition("]")
            port = port.removeprefix(":")
        elif ":" in text:
            host, _, port = text.rpartition(":")
        if not host:
            host = "127.0.0.1"
        number = default_port
        if port:
            number = int(port) if re.fullmatch(r"[0-9]{1,5}", port) else -1
        if not 0 < number < 65536 or any(c in host for c in " /@[]") or host.count(":") == 1:
            raise self.error(
                "has no valid host and port",
                hint="Write host:port, and percent-encode special characters of a password "
                "(: is %3A, / is %2F, @ is %40).",
            )
        return Address(host, number)

    def tls(self) -> Tls:
        check = self.query.get("ssl_check_hostname", "true").lower()
        if check not in ("true", "false", "1", "0", "yes", "no"):
            raise self.error("has a strange ssl_check_hostname", hint="It is true or false.")
        return Tls(
            ca_certs=self.query.get("ssl_ca_certs"),
            certfile=self.query.get("ssl_certfile"),
            keyfile=self.query.get("ssl_keyfile"),
            check_hostname=check in ("true", "1", "yes"),
        )
