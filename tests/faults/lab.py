"""A Redis with known sessions, and pawsctl run against it and judged."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import redis

from tests import fork_server, servers
from tests.faults.tally import Tally
from tests.servers import Server

SESSIONS = 120
TTL = 20_000
PREFIX = "wh:session:"

HUNG_SECONDS = 45.0
"""Far beyond every deadline that the commands below state, on a busy machine too."""

# The timeouts given to pawsctl: short, since many attacks run into them.
LIMITS = ("--timeout", "2", "--connect-timeout", "2", "--failover-timeout", "1")


def limited(url: str, arguments: Sequence[str]) -> tuple[str, ...]:
    """Return pawsctl's arguments, with the URL and the timeouts if the command reaches a Redis."""
    if tuple(arguments[:2]) == ("session", "verify"):
        return tuple(arguments)
    return ("--url", url, *LIMITS, *arguments)


_CONTROL = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]|\xe2\x80[\xaa-\xae]")

# The command that users start: `python -m` runs some of Python's own modules before pawsctl's.
_SCRIPT = Path(sys.executable).with_name("pawsctl")

# What Python prints, warnings by the names of their classes; pawsctl's own begin with `Warning:`.
_TRACES = re.compile(rb"Traceback|Exception ignored|\wWarning:")

FOREIGN: dict[str, str] = {"app:counter": "7", "wh:seen:abc": "1", "wh:sessionless": "x"}


@dataclass(frozen=True)
class Run:
    """The result of one run of pawsctl; `status` is None if it had to be killed."""

    arguments: tuple[str, ...]
    status: int | None
    out: bytes
    err: bytes

    @property
    def json(self) -> Any:
        """stdout as JSON; None if it is not JSON."""
        try:
            return json.loads(self.out)
        except ValueError:
            return None

    def __str__(self) -> str:
        return f"pawsctl {' '.join(self.arguments)} → {self.status}: {self.err[-1500:]!r}"


def value_of(number: int) -> bytes:
    """Return the stored value of a session: some are small, a few large."""
    text = f"Hola {number} " + "x" * (20_000 if number % 40 == 0 else number)
    session = {
        "status": "active",
        "messages": [
            {"role": "user", "content": text},
            {"role": "assistant", "content": [{"type": "text", "text": "¡Hola!"}]},
        ],
        "updatedAt": 1_700_000_000_000 + number,
    }
    return json.dumps(session, separators=(",", ":")).encode()


VALUES = {f"+5989900{number:04}": value_of(number) for number in range(SESSIONS)}
FIRST = next(iter(VALUES))


class Place:
    """A folder to run pawsctl in, and a client of the Redis that it works on."""

    def __init__(self, folder: Path, client: redis.Redis) -> None:
        self.folder = folder
        self.client = client
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "XDG_STATE_HOME": str(folder / "state"),
            "PAWSCTL_ENGINE": "embedded",
            "PAWSCTL_PROJECT": "pawsctl-test-faults",
            "TMPDIR": str(folder / "tmp"),
        }
        (folder / "tmp").mkdir(parents=True, exist_ok=True)

    def stored(self) -> dict[str, bytes]:
        """Return the sessions that the server holds: phone → value."""
        names = [bytes(key).decode() for key in self.client.scan_iter(PREFIX + "*", count=1_000)]
        values: list[Any] = self.client.mget(names) if names else []
        return {
            name.removeprefix(PREFIX): bytes(value)
            for name, value in zip(names, values, strict=True)
            if value is not None
        }

    def leftovers(self) -> list[str]:
        """Return what commands left behind: unfinished files, temporary folders, servers."""
        files = [str(each) for each in self.folder.rglob("*.part*")]
        files += [str(each) for each in (self.folder / "tmp").iterdir()]
        return files + [f"process {each}" for each in self.servers()]

    def servers(self) -> list[str]:
        """Return the command lines of running servers that pawsctl started for this folder."""
        found = []
        for process in psutil.process_iter(["cmdline"]):
            words = process.info["cmdline"] or []
            with suppress(psutil.Error):
                own = str(self.folder) in " ".join([*words, process.cwd()])
                if own and words and "valkey-server" in words[0]:
                    found.append(" ".join(words[:3]))
        return found

    def start(
        self, *arguments: str, environment: dict[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        """Start pawsctl; the caller waits for it."""
        return subprocess.Popen(
            [_SCRIPT, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=self.folder,
            # If the interpreter itself crashes, it prints where.
            env=self.environment | (environment or {}) | {"PYTHONFAULTHANDLER": "1"},
            start_new_session=True,
        )

    def run(self, *arguments: str, environment: dict[str, str] | None = None) -> Run:
        """Run pawsctl to its end; kill it if it takes longer than any deadline."""
        try:
            status, out, err = fork_server.run(
                arguments,
                stdin=b"",
                folder=self.folder,
                environment=self.environment | (environment or {}) | {"PYTHONWARNINGS": "error"},
                timeout=HUNG_SECONDS,
            )
        except subprocess.TimeoutExpired:
            return Run(tuple(arguments), None, b"", b"")
        return Run(tuple(arguments), status, out, err)

    def end(self, process: subprocess.Popen[bytes], arguments: Sequence[str]) -> Run:
        """Wait for a started pawsctl."""
        try:
            out, err = process.communicate(timeout=HUNG_SECONDS)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGABRT)
            out, err = process.communicate()
            return Run(tuple(arguments), None, out, err)
        return Run(tuple(arguments), process.returncode, out, err)


class Lab(Place):
    """A server with the sessions above and keys of other applications."""

    def __init__(self, server: Server, folder: Path) -> None:
        super().__init__(folder, server.client)
        self.server = server

    @property
    def url(self) -> str:
        """The server's URL."""
        return self.server.url

    def fill(self) -> None:
        """Fill the server with exactly the lab's data; empty the folder except for an archive."""
        client = self.client
        client.flushall()
        with client.pipeline(transaction=False) as pipe:
            for phone, value in VALUES.items():
                pipe.set(PREFIX + phone, value, ex=TTL)
            for key, text in FOREIGN.items():
                pipe.set(key, text)
            pipe.execute()
        for each in self.folder.iterdir():
            if each.is_file() and each.name != "whole.jsonl":
                each.unlink()

    def restore(self) -> None:
        """Fill the server again if anything in it has changed."""
        if self.client.dbsize() != len(VALUES) + len(FOREIGN) or self.stored() != VALUES:
            self.fill()

    def foreign_loss(self) -> str:
        """Return which keys of other applications are gone or changed; '' if none."""
        found = dict(zip(FOREIGN, self.client.mget(list(FOREIGN)), strict=True))
        gone = [key for key, text in FOREIGN.items() if found[key] != text.encode()]
        return f"keys of others are gone or changed: {gone}" if gone else ""

    def archive(self) -> Path:
        """Return an archive of all sessions, made once."""
        path = self.folder / "whole.jsonl"
        if not path.exists():
            self.fill()
            made = self.run("--url", self.url, "session", "export", str(path))
            assert made.status == 0, made
        return path


@contextmanager
def lab(folder: Path, *options: str, program: str = "valkey-server") -> Iterator[Lab]:
    """Yield a lab on a server of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    work, data = folder / "work", folder / "data"
    work.mkdir()
    data.mkdir()
    with servers.running(data, *options, program=program) as server:
        yield Lab(server, work)


def judge(run: Run, tally: Tally, how: str, *, sent: int = signal.SIGKILL) -> None:
    """Count everything that is wrong with a run, whatever its command.

    It may have ended by the signal that it was sent: before Python handles signals, and after the
    work is done, the system ends the process.
    """
    where = f"{how}: {run}"
    if run.status is None:
        tally.found("hung", where)
    elif run.status < 0 and run.status != -sent:
        tally.found("tracebacks", f"ended by signal {-run.status}; {where}")
    # Python prints a traceback of its own if the signal arrives before any of our code runs.
    is_pythons = b"KeyboardInterrupt" in run.err and b"/pawsctl/" not in run.err
    if not is_pythons and _TRACES.search(run.err):
        tally.found(
            "tracebacks", f"{how}: {run.arguments} {run.err[-1500:].decode(errors='replace')}"
        )
    if "--raw" not in run.arguments and _CONTROL.search(run.out + run.err):
        tally.found("control", where)


def until(condition: Any, seconds: float = 20.0) -> bool:
    """Wait until a condition holds; return whether it did in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if condition():
                return True
        except (redis.RedisError, OSError):
            pass
        time.sleep(0.01)
    return False
