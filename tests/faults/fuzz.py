"""Fuzzed input: argument lines, URLs, values, archives, .env and compose files, Docker's config.

Hypothesis makes the input, from a seed. Whatever it is, pawsctl must end by itself, with one of its
own exit statuses, and print no traceback, control character or password.
"""

import gzip
import json
import random
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import hypothesis
from hypothesis import strategies as st
from hypothesis.errors import HypothesisDeprecationWarning
from hypothesis.strategies import SearchStrategy

from pawsctl.errors import ExitStatus, PawsctlError
from pawsctl.stack.project.compose_file import read
from pawsctl.stack.project.mounted_files import compose_file
from tests.faults.lab import PREFIX, Lab, Run, judge, limited
from tests.faults.tally import Tally

SECRET = "hunter2-is-a-secret"
"""The password of the fuzzed URLs, which nothing may print."""

_STATUSES = {int(each) for each in ExitStatus}

Try = Callable[[Lab, Any], Run | None]


@dataclass(frozen=True)
class Kind:
    """One kind of input: how to make it, how to try it, and inputs that failed before."""

    name: str
    inputs: SearchStrategy[Any]
    attempt: Try
    kept: tuple[Any, ...] = field(default=())


def _text(alphabet: str = "") -> SearchStrategy[str]:
    # No slash: a file name must stay in the folder. No NUL: an argument can't hold one.
    letters = st.characters(blacklist_characters="\0/", blacklist_categories=["Cs"])
    return st.text(st.sampled_from(alphabet) if alphabet else letters, max_size=12)


# --- Arguments ----------------------------------------------------------------------------------

# `up`, `dev` and the endless ones (watch, logs -f, failover) are attacked elsewhere.
_COMMANDS = (
    *("session list", "session get", "session ttl", "session stats", "session lint"),
    *("session delete", "session touch", "session flush", "session seed", "session import"),
    *("session export", "session verify", "test-session", "health", "doctor", "config"),
    *("redis status", "redis down", "redis stop", "redis memory", "redis cli", "redis", "session"),
    *("profile list", "profile show", "profile check"),
)
# Valid combinations, so that some lines are right.
_WORDS = (
    *("--json", "-o csv", "-o jsonl", "-o text", "-o x", "--yes", "--dry-run", "--match +5*"),
    *("--match [", "--phone +1", "--status active", "--problem", "--sort ttl", "--sort x"),
    *("--limit 3", "--limit -1", "--reverse", "--raw", "--help", "--force", "--replace"),
    *("--expiring-within 1h", "--expiring-within x", "--never-expires", "--waiting", "-n 1"),
    *("--columns phone", "--ttl 5m", "--ttl 0", "--confirm x", "--topology sentinel", "--volumes"),
    *("+59899000000", "+59899000001", "+1", "*", "-1", "0", "1e9", "9" * 30, "-", "--", "="),
    *("--timeout nan", "--timeout 0", "-n 16", "whole.jsonl", "new.jsonl", "new.jsonl.gz", "."),
    *("\x1b", "名", "\u202e", "\udcff", "-o=json", "--url="),
    *("--read-only", "--profile prod", "--profile="),
)
_ARGUMENTS = st.tuples(
    st.sampled_from(_COMMANDS),
    st.lists(st.sampled_from(_WORDS).map(str.split) | _text().map(lambda word: [word]), max_size=4),
)


def _arguments(lab: Lab, made: tuple[str, list[list[str]]]) -> Run:
    command, groups = made
    words = [word for group in groups for word in group]
    return lab.run(*limited(lab.url, [*command.split(), *words]))


# --- URLs ---------------------------------------------------------------------------------------

_SCHEMES = (
    "redis",
    "rediss",
    "REDIS",
    "redis+sentinel",
    "redis-sentinel",
    "unix",
    "http",
    "",
    "a b",
)
_HOSTS = ("127.0.0.1", "localhost", "[::1]", "[", "::1", "x.invalid", "", "1.2.3", "\u0130", "%00")
_PARAMETERS = (
    *("ssl_cert_reqs=none", "ssl_ca_certs=%00", "ssl_ca_certs=/nowhere", "db=1", "db=x", "=", "&"),
    *(
        "timeout=1",
        "socket_timeout=nan",
        "protocol=3",
        "sentinel=x",
        "ssl=true",
        "cluster=true",
        "%",
    ),
)


@st.composite
def _urls(draw: st.DrawFn) -> str:
    def usually(first: str, *others: str) -> str:
        """Draw one of the first in half of the cases, so that some URLs are right."""
        return first if draw(st.booleans()) else draw(st.sampled_from(others) | _text())

    scheme = usually("redis", *_SCHEMES)
    # Without a colon it would be a user's name.
    login = draw(st.sampled_from(("", "", ":", "u:", "u%3A:", "%zz:", ":a@b", "\x1b:")))
    host = usually("127.0.0.1", *_HOSTS)
    port = usually(":1", "", ":0", ":65536", ":-1", ":x", ":\uff11", ":", ":1,localhost:1")
    path = usually("", "/", "/0", "/1", "/x", "/mymaster/0", "/ /", "/99999999999")
    query = "&".join(draw(st.lists(st.sampled_from(_PARAMETERS) | _text(), max_size=2)))
    quote = usually("", "'", '"', " ", "\n", "redis-cli -u ")
    separator = usually("://", ":", "//", "")
    password = f"{login}{SECRET}@" if login else ""
    text = f"{scheme}{separator}{password}{host}{port}{path}{'?' if query else ''}{query}"
    return (quote + text + quote).replace("\0", "")


def _url(lab: Lab, made: str) -> Run:
    limits = ("--timeout", "0.5", "--connect-timeout", "0.3", "--failover-timeout", "0.1")
    return lab.run(*limits, "health", environment={"REDIS_URL": made})


# --- Values -------------------------------------------------------------------------------------

_LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(
        (
            "active",
            "ended",
            "user",
            "assistant",
            "text",
            "tool_use",
            "tool_result",
            "\x1b[31m",
            "::error::x",
            "=1+1",
            "\u202e",
            "![x](y)",
            1_700_000_000_000,
            -1,
            1e308,
            10**400,
        )
    )
)
_NAMES = st.sampled_from(
    (
        "status",
        "messages",
        "updatedAt",
        "role",
        "content",
        "type",
        "text",
        "id",
        "tool_use_id",
        "name",
        "input",
        "source",
        "x\n",
    )
)
_TREES = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_NAMES, inner, max_size=5)
)


@st.composite
def _values(draw: st.DrawFn) -> list[bytes]:
    made = []
    for tree in draw(st.lists(_TREES, min_size=1, max_size=20)):
        data = json.dumps(tree).encode()
        at = draw(st.integers(0, len(data)))
        made.append(data[:at] + draw(st.binary(max_size=3)) + data[at:])
    return made


_LOOKS = (
    ("session", "list"),
    ("session", "list", "-o", "csv"),
    ("session", "list", "-o", "jsonl"),
    ("session", "get", "+0"),
    ("session", "get", "+0", "--json"),
    ("session", "lint"),
    ("session", "lint", "--json"),
    ("session", "stats"),
    ("session", "export", "-"),
)


def _value(lab: Lab, made: list[bytes]) -> Run:
    lab.client.flushall()
    for number, value in enumerate(made):
        lab.client.set(f"{PREFIX}+{number}", value)
    how = _LOOKS[len(made[0]) % len(_LOOKS)]
    return lab.run(*limited(lab.url, how))


# --- Archives -----------------------------------------------------------------------------------

_EDITS = st.lists(
    st.tuples(
        st.sampled_from(("flip", "drop", "double", "cut", "insert")),
        st.floats(0, 1, exclude_max=True),
        st.binary(min_size=1, max_size=4),
    ),
    min_size=1,
    max_size=4,
)


def edited(data: bytes, edits: list[tuple[str, float, bytes]]) -> bytes:
    """Return the data with each edit made: an action, a place from 0 to 1, some bytes."""
    for action, place, extra in edits:
        at = int(place * len(data))
        lines = data.splitlines(keepends=True) or [b""]
        line = min(int(place * len(lines)), len(lines) - 1)
        match action:
            case "flip":
                data = data[:at] + extra + data[at + len(extra) :]
            case "insert":
                data = data[:at] + extra + data[at:]
            case "cut":
                data = data[:at]
            case "drop":
                data = b"".join(lines[:line] + lines[line + 1 :])
            case _:
                data = b"".join([*lines[: line + 1], *lines[line:]])
    return data


def _archive(lab: Lab, made: tuple[bool, bool, list[tuple[str, float, bytes]]]) -> Run:
    is_gzip, is_import, edits = made
    whole = lab.archive().read_bytes()
    data = edited(gzip.compress(whole, 1) if is_gzip else whole, edits)
    path = lab.folder / ("edited.jsonl.gz" if is_gzip else "edited.jsonl")
    path.write_bytes(data)
    command = ("session", "import", "--replace") if is_import else ("session", "verify")
    run = lab.run(*limited(lab.url, [*command, str(path)]))
    if run.status == 0 and not is_gzip and data != whole:
        # A change such as spaces at the end of a line is allowed; other sessions are not.
        assert sorted(_lines(data)) == sorted(_lines(whole)), "another archive was called whole"
    return run


def _lines(data: bytes) -> list[str]:
    return [json.dumps(json.loads(line)) for line in data.splitlines() if line.strip()]


# --- Files --------------------------------------------------------------------------------------

_SETTINGS = (
    *("REDIS_URL", "REDIS_PORT", "REDIS_PASSWORD", "REDIS_PASSWORD_FILE", "REDIS_IMAGE"),
    *("REDIS_MAXMEMORY", "PAWSCTL_PROJECT", "PAWSCTL_ENGINE", "APP_URL", "NODE_ENV", "export X"),
    *("SESSION_PREFIX", "SESSION_TTL", "SESSION_FORMAT", "PAWSCTL_PROFILE", "PAWSCTL_READ_ONLY"),
)
_DOTENV = st.lists(
    st.tuples(
        st.sampled_from(_SETTINGS) | st.text(max_size=5),
        st.sampled_from(("=", " = ", ":", "", "='", '="', "=${", "=$(", "=\ufeff")),
        st.binary(max_size=12) | st.sampled_from(_HOSTS).map(str.encode),
    ),
    max_size=6,
)


def _dotenv(lab: Lab, made: list[tuple[str, str, bytes]]) -> Run:
    lines = [name.encode() + equals.encode() + value for name, equals, value in made]
    path = lab.folder / "fuzzed.env"
    path.write_bytes(b"\n".join(lines))
    command = ("config",) if len(lines) % 3 else ("session", "ttl", "--url", lab.url)
    return lab.run("--env-file", str(path), *command, *(("--json",) if len(lines) % 2 else ()))


def _compose(lab: Lab, made: tuple[int, list[tuple[str, float, bytes]]]) -> None:
    number, edits = made
    files = sorted(compose_file().parent.glob("*.yaml"))
    path = lab.folder / "compose.edited.yaml"
    path.write_bytes(edited(files[number % len(files)].read_bytes(), edits))
    with suppress(PawsctlError):
        read(path, {"REDIS_PORT": "6379", "REDIS_IMAGE": "redis:7"})


_DOCKER_NAMES = st.sampled_from(
    (
        "auths",
        "credHelpers",
        "credsStore",
        "currentContext",
        "proxies",
        "HttpHeaders",
        "default",
        "detachKeys",
        "127.0.0.1:1",
        "auth",
        "username",
        "identitytoken",
        "httpProxy",
    )
)
_DOCKER_TREES = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_DOCKER_NAMES, inner)
)


def _docker_config(lab: Lab, made: bytes) -> Run:
    folder = lab.folder / "docker"
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_bytes(made)
    run = lab.run(
        *("redis", "status", "--json"),
        environment={"DOCKER_CONFIG": str(folder), "PAWSCTL_ENGINE": "docker"},
    )
    (folder / "config.json").unlink()
    return run


KINDS = (
    Kind("argument lines", _ARGUMENTS, _arguments),
    Kind("URLs", _urls(), _url, ("redis://127.0.0.1?ssl_ca_certs=%00",)),
    Kind("values", _values(), _value),
    Kind("archives", st.tuples(st.booleans(), st.booleans(), _EDITS), _archive),
    Kind(".env files", _DOTENV, _dotenv),
    Kind("compose files", st.tuples(st.integers(0, 9), _EDITS), _compose),
    Kind(
        "Docker's config.json",
        st.binary(max_size=9) | _DOCKER_TREES.map(lambda tree: json.dumps(tree).encode()),
        _docker_config,
        (b"null", b"[]", b'{"auths": null}', b'{"HttpHeaders": 1}', b'{"proxies": []}'),
    ),
)


def attacks(
    lab: Lab, rng: random.Random, tries: int, kinds: Sequence[Kind] = KINDS
) -> Iterator[Tally]:
    """Try each kind of input `tries` times, after the inputs that failed before."""
    lab.archive()
    # Other groups, in other threads, use the module `random` meanwhile.
    warnings.filterwarnings(
        "ignore", "Do not use the `random` module", HypothesisDeprecationWarning
    )
    for kind in kinds:
        tally = Tally(f"fuzzed {kind.name}")
        for case in kind.kept:
            _one(lab, kind, case, tally)
        _generated(lab, kind, rng.randrange(1 << 32), tries, tally)
        yield tally


def _generated(lab: Lab, kind: Kind, seed: int, tries: int, tally: Tally) -> None:
    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=tries,
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(kind.inputs)
    def every(made: Any) -> None:
        _one(lab, kind, made, tally)

    every()


def _one(lab: Lab, kind: Kind, made: Any, tally: Tally) -> None:
    tally.tried()
    if kind.name != "values":
        lab.restore()
    try:
        run = kind.attempt(lab, made)
    except AssertionError as error:
        tally.found("lost", f"{made!r}: {error}")
        return
    except Exception as error:  # noqa: BLE001 - the modules that run in this process
        tally.found("tracebacks", f"{made!r}: {error!r}")
        return
    if run is None:
        return
    judge(run, tally, repr(made))
    if run.status is not None and run.status not in _STATUSES:
        tally.found("lost", f"{made!r}: status {run.status}: {run}")
    if SECRET.encode() in run.out + run.err:
        tally.found("lost", f"{made!r}: a password is shown: {run}")
    if run.status and not (run.err or run.out):
        tally.found("lost", f"{made!r}: failed, and said nothing: {run}")
    if lost := kind.name != "values" and lab.foreign_loss():
        tally.found("lost", f"{made!r}: {lost}")
