"""Where to connect, as whom, and how. Pure: nothing is resolved or connected."""

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
    """Paths of PEM files, as redis-py names them; None leaves it to the system's store.

    Without `verify`, whoever answers is taken for the server.
    """

    ca_certs: str | None = None
    certfile: str | None = None
    keyfile: str | None = None
    check_hostname: bool = True
    verify: bool = True


class Target(msgspec.Struct, frozen=True):
    """Where a command's Redis is; `origin` says which setting named it.

    `is_member`: one server of several, found through a Sentinel or a cluster. `password_stays`: the
    password is for servers on this machine, and none that these name elsewhere is given it.
    `sentinel_tls`: how the Sentinels are spoken to. `unused`: parameters that say nothing of where
    or as whom to connect.
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
        # Alone it may be a password: redis-cli takes it for one.
        is_user = self.username and self.password is not None
        user = f"{quote(self.username or '', safe='')}@" if is_user else ""
        parts = ([quote(self.service, safe="")] if self.service else []) + (
            [str(self.db)] if self.db else []
        )
        hosts = ",".join(str(each) for each in self.addresses)
        return f"{scheme}://{user}{hosts}" + "".join(f"/{part}" for part in parts)

    def with_db(self, number: int) -> "Target":
        """The same place with another database; a cluster has several from Valkey 9 on."""
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
