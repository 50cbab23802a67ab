"""Parse Redis URLs. Pure: nothing is resolved or connected.

The forms are those of redis-py (`redis://`, `rediss://`, `unix://`), of Sentinel clients
(`redis+sentinel://h1,h2/SERVICE/DB`, and Lettuce's `redis-sentinel://h1,h2?sentinelMasterId=SERVICE`)
and `redis+cluster://h1,h2`; the scheme names of other programs are accepted, too.
"""

import re
from urllib.parse import unquote

from msgspec.structs import replace

from pawsctl.config import pasted_url
from pawsctl.config.target import (
    MOST_DATABASE,
    REDIS_PORT,
    SENTINEL_PORT,
    Address,
    Kind,
    Target,
    Tls,
)
from pawsctl.config.url_parameters import Parameters, UrlProblem
from pawsctl.errors import UsageError

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
# The scheme names of Valkey's clients, Predis, Celery and Lettuce.
_ALIASES = {
    "valkey": "redis",
    "valkeys": "rediss",
    "tcp": "redis",
    "tls": "rediss",
    "ssl": "rediss",
    "redis+tls": "rediss",
    "redis+ssl": "rediss",
    "redis-socket": "unix",
    "redis+unix": "unix",
    "redis+socket": "unix",
    "socket": "unix",
    "sentinel": "redis+sentinel",
    "valkey+sentinel": "redis+sentinel",
    "valkeys+sentinel": "rediss+sentinel",
    "redis-cluster": "redis+cluster",
    "rediss-cluster": "rediss+cluster",
    "valkey+cluster": "redis+cluster",
    "valkeys+cluster": "rediss+cluster",
}
_DOTNET = "A .NET connection string is written like rediss://:PASSWORD@host:6380 here."
_ESCAPES = "/ is %2F, ? is %3F, # is %23, @ is %40"
# Placeholders that a shell, a template or the reader should have replaced.
_BLANK = re.compile(r"\$|\{\{|<\w|%\w+%")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")


def parse(url: str, *, origin: str) -> Target:
    """Parse `url`; `origin` names the setting it came from, for messages.

    Raises UsageError. Its message never quotes the URL, which may hold a password.
    """
    try:
        return _Parser(url, origin).target()
    except UrlProblem as problem:
        raise UsageError(f"The URL from {origin} {problem.what}.", hint=problem.hint) from problem


class _Parser:
    def __init__(self, url: str, origin: str) -> None:
        self.origin = origin
        try:
            text = pasted_url.url_in(url)
        except ValueError as error:
            raise UrlProblem(
                "is a redis-cli with other options than -u", hint=str(error)
            ) from error
        scheme, separator, rest = text.partition("://")
        self.scheme = _ALIASES.get(scheme.lower(), scheme.lower())
        if not separator and _BLANK.match(text):
            raise _unfilled()
        if not separator or self.scheme not in _SCHEMES:
            raise UrlProblem("is not a Redis URL", hint=_way_on(scheme.lower(), text))
        self.kind, secure = _SCHEMES[self.scheme]
        rest, hash_sign, self.fragment = rest.partition("#")
        # Lettuce puts the Sentinel service here; otherwise it is the rest of a password.
        is_service = re.fullmatch(r"[\w.-]+", self.fragment) and "password" not in rest
        if hash_sign and not (is_service and self.kind == "sentinel"):
            raise UrlProblem("holds a '#'", hint="Percent-encode it in the password: %23.")
        rest, _, query = _one_authority(rest).partition("?")
        authority, _, self.path = rest.partition("/")
        self.login, _, self.hosts = authority.rpartition("@")
        if "@" not in self.path and _BLANK.search(f"{self.hosts}/{self.path}"):
            raise _unfilled()
        self.parameters = Parameters(
            query, kind=self.kind, scheme=self.scheme, secure=secure, has_login=bool(self.login)
        )

    def target(self) -> Target:
        user, _, password = self.login.partition(":")
        asked = self.parameters
        target = Target(
            kind=self.kind,
            addresses=(),
            origin=self.origin,
            username=unquote(user) or asked.text("username"),
            password=unquote(password) or asked.text("password"),
            tls=asked.tls(),
            unused=asked.unused,
        )
        if self.scheme == "unix":
            # redis-py's form: unix://[user:password@]/path/to.sock?db=0
            path = "/" + unquote(self.path)
            if self.hosts or path == "/":
                raise UrlProblem(
                    "has no socket path", hint="Write it like unix:///run/redis/redis.sock."
                )
            return _sound(replace(target, path=path, db=self.db("")))
        if self.kind == "sentinel":
            service, db = self.service_and_db()
            return _sound(
                replace(
                    target,
                    addresses=self.addresses(SENTINEL_PORT),
                    service=service,
                    db=self.db(db),
                    sentinel_username=asked.text("sentinel_username"),
                    sentinel_password=asked.text("sentinel_password"),
                    sentinel_tls=asked.sentinel_tls(),
                )
            )
        return _sound(replace(target, addresses=self.addresses(REDIS_PORT), db=self.db(self.path)))

    def service_and_db(self) -> tuple[str, str]:
        """Return the Sentinel service and the database in the path, each as text.

        The service may be named in the path, a parameter or the fragment.
        """
        first, _, rest = self.path.partition("/")
        given = [each for each in (self.parameters.text("service"), self.fragment) if each]
        # A number alone is a database, as in Celery's and Lettuce's URLs.
        if first.isdecimal() and not rest:
            first, rest = "", first
        names = dict.fromkeys([*filter(None, (unquote(first),)), *given])
        if not names:
            raise UrlProblem(
                "names no Sentinel service",
                hint="Write it like redis+sentinel://host1:26379,host2:26379/mymaster.",
            )
        # An '@' means that it may be the rest of a password with a raw '/'.
        if any("@" in each for each in names):
            raise UrlProblem(
                "has no service where one should stand",
                hint="Percent-encode special characters of a password (/ is %2F).",
            )
        if len(names) > 1:
            raise UrlProblem("names two Sentinel services", hint="Leave one of them out.")
        return next(iter(names)), rest

    def db(self, path: str) -> int:
        named, asked = path.rstrip("/"), self.parameters.text("db") or ""
        if named and asked and named != asked:
            raise UrlProblem("names two databases", hint="Leave out the path or ?db=.")
        text = named or asked or "0"
        # Text before the last @ is the rest of a password with a raw /.
        if "@" in text:
            raise UrlProblem(
                "has no number where its database stands",
                hint=f"Percent-encode special characters of a password ({_ESCAPES}).",
            )
        if self.kind == "standalone" and "/" in text:
            raise UrlProblem(
                "has a path where its database stands",
                hint="A Unix socket is written like unix:///run/redis/redis.sock.",
            )
        if not re.fullmatch(r"[0-9]{1,10}", text) or int(text) > MOST_DATABASE:
            raise UrlProblem(
                "has no number where its database stands",
                hint=f"A database is a number from 0 to {MOST_DATABASE}: redis://127.0.0.1:6379/0.",
            )
        return int(text)

    def addresses(self, default_port: int) -> tuple[Address, ...]:
        hosts = [each for each in self.hosts.split(",") if each.strip()] or [""]
        if self.kind == "standalone" and len(hosts) > 1:
            raise UrlProblem(
                "names several hosts",
                hint=_DOTNET
                if "=" in self.hosts
                else "Name one, or use redis+sentinel://… or redis+cluster://… for more.",
            )
        return tuple(_address(each, default_port) for each in hosts)


def _way_on(scheme: str, text: str) -> str:
    if scheme in ("http", "https"):
        return (
            "That is a web address. Who sells a Redis also shows its Redis URL, which begins with "
            "redis:// or rediss://."
        )
    if re.search(r",\s*(password|ssl|user|abortConnect)\s*=", text, re.IGNORECASE):
        return _DOTNET
    return "Write it like redis://127.0.0.1:6379; known schemes: " + ", ".join(
        f"{each}://" for each in _SCHEMES
    )


def _one_authority(rest: str) -> str:
    """Join a list of URLs, as Celery has it: `h1:1/0;sentinel://h2:2/0` becomes `h1:1,h2:2/0`."""
    return re.sub(
        r"(?:/[^;,@/?]*)?[;,]\s*[a-z+-]+://(?:[^@;,/?]*@)?", ",", rest, flags=re.IGNORECASE
    )


def _unfilled() -> UrlProblem:
    return UrlProblem(
        "holds a placeholder that nothing has replaced",
        hint="pawsctl takes it as it stands: have the shell, or what deploys it, put in the value.",
    )


def _address(text: str, default_port: int) -> Address:
    host, port = text.strip(), ""
    if host.startswith("["):
        host, bracket, port = host[1:].partition("]")
        port = port.removeprefix(":") if bracket else "?"
    elif ":" in host:
        host, _, port = host.rpartition(":")
    number = default_port
    if port:
        number = int(port) if re.fullmatch(r"[0-9]{1,5}", port) else -1
    host = host or "127.0.0.1"
    if not 0 < number < 65536 or not _is_host(host):
        raise UrlProblem(
            "has no valid host and port",
            hint="Write host:port, and percent-encode special characters of a password "
            "(: is %3A, / is %2F, @ is %40).",
        )
    return Address(host, number)


def _is_host(text: str) -> bool:
    """Return whether a text can be a host: no part of a name is empty or over 63 bytes."""
    if ":" in text:
        return bool(re.fullmatch(r"[0-9a-f:.]{2,}(%\w.*)?", text, re.IGNORECASE | re.DOTALL))
    try:
        return bool(re.fullmatch(r"[\w.-]+", text)) and len(text.encode("idna")) < 254
    except UnicodeError:
        return False


def _sound(target: Target) -> Target:
    """Return the target. Raises UrlProblem for a control character in a path or a name."""
    files = target.tls or target.sentinel_tls or Tls()
    texts = (
        *(target.path, target.username, target.service, target.sentinel_username),
        *(files.ca_certs, files.certfile, files.keyfile),
        *(each.host for each in target.addresses),
    )
    if any(_CONTROLS.search(each) for each in texts if each):
        raise UrlProblem(
            "holds a control character (%00 to %1F) in a path or a name", hint="Leave it out."
        )
    return target
