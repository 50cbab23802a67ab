"""The target of a connection: addresses, login and TLS. Pure: nothing is resolved or connected."""

import re
from typing import Literal
from urllib.parse import quote

import msgspec
from msgspec.structs import replace

Kind = Literal["standalone", "sentinel", "cluster"]

REDIS_PORT = 6379
SENTINEL_PORT = 26379
# Redis keeps the number of a database in 32 bits.
MOST_DATABASE = 2**31 - 1


class Address(msgspec.Struct, frozen=True):
    """A host and a TCP port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Tls(msgspec.Struct, frozen=True):
    """Paths of PEM files, named as in redis-py; None means the system's store.

    Without `verify`, any server certificate is accepted.
    """

    ca_certs: str | None = None
    certfile: str | None = None
    keyfile: str | None = None
    check_hostname: bool = True
    verify: bool = True


class Target(msgspec.Struct, frozen=True):
    """The Redis of a command; `origin` is the setting that named it.

    `is_member`: it is one server of several, found through a Sentinel or a cluster.
    `password_stays`: the password is only sent to servers on this machine, not to others that these
    announce. `sentinel_tls`: the TLS of connections to Sentinels. `unused`: parameters of the URL
    that do not affect where or as whom to connect. `read_only`: the setting by which only commands
    that read are sent; '' if there is none. `production`: what the settings say of it being
    production's, in clauses. `profile`: the name of the profile that it is of, or '';
    `is_production`: whether that says production.
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
    sentinel_tls: Tls | None = None
    unused: tuple[str, ...] = ()
    is_member: bool = False
    password_stays: bool = False
    hides_user: bool = False
    read_only: str = ""
    production: tuple[str, ...] = ()
    profile: str = ""
    is_production: bool = False

    @property
    def may_be_ours(self) -> bool:
        """Whether `redis up` starts a server at this address.

        True for the default address and for a REDIS_URL of a single server on this machine. A URL
        of an option counts only with the default port, a profile never.
        """
        if self.kind != "standalone" or self.is_member or self.path or self.tls or self.profile:
            return False
        address = self.addresses[0]
        is_named = not self.origin.startswith("option ") or address.port == REDIS_PORT
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
        """The URL without its passwords, for display."""
        if self.path is not None:
            return f"unix://{self.path}" + (f"?db={self.db}" if self.db else "")
        secure = "rediss" if self.tls else "redis"
        scheme = secure if self.kind == "standalone" else f"{secure}+{self.kind}"
        # A user without a password may be a password: redis-cli takes it for one.
        is_user = self.username and self.password is not None and not self.hides_user
        user = f"{quote(self.username or '', safe='')}@" if is_user else ""
        parts = ([quote(self.service, safe="")] if self.service else []) + (
            [str(self.db)] if self.db else []
        )
        hosts = ",".join(str(each) for each in self.addresses)
        return f"{scheme}://{user}{hosts}" + "".join(f"/{part}" for part in parts)

    def with_db(self, number: int) -> "Target":
        """Return the target with another database; clusters have several since Valkey 9."""
        return replace(self, db=number)

    def with_login(self, username: str | None, password: str | None) -> "Target":
        """Return the target with another login.

        A user that the URL names without a password stays hidden.
        """
        is_lone = bool(username) and username == self.username and self.password is None
        hides = self.hides_user or is_lone
        return replace(self, username=username, password=password, hides_user=hides)


def is_loopback(host: str) -> bool:
    """Return whether `host` is localhost, ::1 or in 127.0.0.0/8."""
    return host.lower() in ("localhost", "::1") or bool(re.fullmatch(r"127(\.\d{1,3}){3}", host))


def is_published(host: str) -> bool:
    """Return whether `host` can be this project's own server, which listens on 127.0.0.1 only."""
    return host.lower() in ("localhost", "127.0.0.1")
