"""The examples of all pages, run: `python -m tests.docs --examples` writes what they really print.

An example is a `console` block: lines that begin with `$ ` are commands, the rest their output. The
tests in tests/docs/test_examples.py run the same and compare.
"""

import json
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from threading import Timer
from typing import IO, NamedTuple

from pawsctl.stack.project import layout
from tests import servers
from tests.bot import HEALTHY, bot
from tests.certificates import Certificates, tls_server
from tests.cli_runner import TIMEOUT_SECONDS, Pawsctl
from tests.docs import pages
from tests.ports import free_base, free_port
from tests.servers import Server, path_with_client
from tests.serving import until
from tests.terminal import noon_zone

SAMPLES = Path(__file__).parent.parent / "sessions"
PROJECT = "pawsctl-test-examples"


class Section(NamedTuple):
    """A part of a page whose examples run one after the other, in an environment of that kind."""

    page: Path
    title: str
    kind: str

    @property
    def blocks(self) -> list[str]:
        """Return its examples."""
        return pages.blocks(self.page, self.title)


SECTIONS = (
    # These examples only read; they find the same sessions as the next sections.
    Section(pages.SCRIPTING, "", "sessions"),
    Section(pages.COMMANDS, "Redis", "stack"),
    Section(pages.COMMANDS, "Sessions", "sessions"),
    Section(pages.COMMANDS, "Undo", "sessions"),
    Section(pages.COMMANDS, "Checks, memory, settings", "sessions"),
    Section(pages.COMMANDS, "Answer in the bot's place", "web"),
    Section(pages.COMMANDS, "Practise a failover", "failover"),
    Section(pages.COMMANDS, "Find out what is wrong", "trouble"),
    Section(pages.PRODUCTION, "", "production"),
    Section(pages.TASKS, "On sessions", "tasks"),
    Section(pages.README, "Five minutes", "walk"),
)

# What a shell may take for something else, also within quotes.
_NEEDS_SHELL = set('|&;<>$*?~#(){}`!\\"')

# The command that runs until Ctrl-C; on a terminal it draws.
WATCH = "$ pawsctl session watch"
# The command that runs until SIGTERM, and what it prints when it answers.
SERVE = "$ pawsctl serve"
_SERVED = b"Listening"

_OTHERS = "warning: This project's Redis has no password"
# A server with TLS, and the authority that signed its certificate.
_FAR = ("redis.example.com:6380", "/etc/ssl/redis-ca.pem")

# The sessions that the examples find: phone → (sample, seconds to live).
STORED: Mapping[str, tuple[str, int | None]] = {
    "+59899000001": ("register-pet.json", 21_000),
    "+59899000002": ("waiting.json", 12_345),
    "+59899000003": ("two-tools-one-turn.json", 7_200),
    "+59899000004": ("web-search.json", 599),
    "+59899000005": ("broken/truncated.txt", 18_000),
}


def store_examples(server: Server) -> None:
    """Store the examples' sessions, and nothing else."""
    server.client.flushall()
    # Reset what earlier work left on the server: its statistics, and a limit set by an example.
    server.client.config_resetstat()
    server.client.config_set("maxmemory", 0)
    for phone, (name, ttl) in STORED.items():
        server.client.set(f"wh:session:{phone}", (SAMPLES / name).read_bytes(), ex=ttl)


class Examples:
    """Runs examples in a folder of their own; replaces the ports and names of this run.

    If they are `typed`, a shell starts each from scratch; else only those that need a shell.
    """

    def __init__(self, pawsctl: Pawsctl, hidden: Mapping[str, str], *, typed: bool = False) -> None:
        self.pawsctl = pawsctl
        self.hidden = hidden
        self._typed = typed

    def run_all(self, blocks: Sequence[str]) -> list[str]:
        """Return each block with its real output; a watch sees the effects of the next block.

        A server answers the next block.
        """
        printed, rest = [], iter(blocks)
        for block in rest:
            if block.startswith(WATCH):
                command, *shown = block.splitlines()
                with self._watching(command) as events:
                    beside = self.run(next(rest))
                    event = events.readline().decode()
                printed += [f"{command}\n{self._as_shown(event) if shown else ''}", beside]
                assert event
            elif block.startswith(SERVE):
                printed += self._served(block.splitlines()[0], next(rest))
            else:
                printed.append(self.run(block))
        return printed

    def _served(self, command: str, asking: str) -> list[str]:
        """Return what a server prints, and the block of commands that asks it."""
        words = shlex.split(command.removeprefix("$ pawsctl "))
        log = self.pawsctl.folder / "serve.log"
        with log.open("wb") as stream:
            process = self.pawsctl.start(
                *words, "--port", self._real("3000"), stderr=stream.fileno()
            )
        try:
            until(lambda: _SERVED in log.read_bytes() or process.poll() is not None)
            asked = self.run(asking)
        finally:
            process.terminate()
            process.communicate(timeout=30)
        return [f"{command}\n{self._as_shown(log.read_text())}", asked]

    def _real(self, shown: str) -> str:
        return next(real for real, each in self.hidden.items() if each == shown)

    @contextmanager
    def _watching(self, command: str) -> Iterator[IO[bytes]]:
        process = self.pawsctl.start(*shlex.split(command.removeprefix("$ pawsctl ")))
        assert process.stdout is not None
        assert process.stderr is not None
        # If an event never comes, the test fails instead of hanging.
        limit = Timer(TIMEOUT_SECONDS, process.kill)
        limit.start()
        try:
            # Sessions that exist when the watch begins are no events.
            process.stderr.readline()
            yield process.stdout
        finally:
            limit.cancel()
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=30)

    def run(self, block: str) -> str:
        """Return the block with the real output of each command, stderr included."""
        lines = []
        for line in block.splitlines():
            if line.startswith("$ "):
                lines.append(line)
                printed = self._run(line.removeprefix("$ "))
                lines += printed.rstrip("\n").splitlines()
        return "\n".join(lines) + "\n"

    def _run(self, command: str) -> str:
        for real, shown in self.hidden.items():
            # Port 6379 of the pages is a free port here, and their remote host is this machine.
            if real.isdigit():
                command = re.sub(rf"([:=]){shown}\b", rf"\g<1>{real}", command)
            elif shown in _FAR:
                command = command.replace(shown, real)
        words = shlex.split(command)
        path = f"{Path(sys.executable).parent}:{self.pawsctl.environment['PATH']}"
        changed = {"PATH": path, "COLUMNS": "100", "TZ": noon_zone()}
        if words[0] == "pawsctl" and not self._typed and _NEEDS_SHELL.isdisjoint(command):
            process = self.pawsctl.start(*words[1:], env=changed, stderr=subprocess.STDOUT)
            printed, _ = process.communicate(timeout=120)
        else:
            printed = subprocess.run(
                ["sh", "-c", command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                cwd=self.pawsctl.folder,
                env=self.pawsctl.environment | changed,
                timeout=120,
                check=False,
            ).stdout
        return self._as_shown(printed.decode())

    def _as_shown(self, printed: str) -> str:
        for real, shown in self.hidden.items():
            printed = printed.replace(real, shown)
        # Other accounts on the machine that made the pages do not belong in them.
        lines = printed.splitlines(keepends=True)
        return "".join(line for line in lines if not line.startswith(_OTHERS))


@contextmanager
def session_examples(folder: Path, server: Server) -> Iterator[Examples]:
    """Examples that read a store of sessions."""
    store_examples(server)
    pawsctl = Pawsctl(folder, server.url)
    for name in ("PAWSCTL_ENGINE", "PAWSCTL_PROJECT"):
        del pawsctl.environment[name]
    own = folder / ".config" / "pawsctl" / "pawsctl.toml"
    own.parent.mkdir(parents=True, exist_ok=True)
    own.write_text(
        '[profiles.prod]\nurl = "rediss://redis.example.com:6380"\nproduction = true\n\n'
        f'[profiles.look]\nurl = "{server.url}"\nread_only = true\n'
    )
    shown = "redis://127.0.0.1:6379"
    hidden = {server.url: shown, f"127.0.0.1:{server.port}": "127.0.0.1:6379", str(folder): "~"}
    yield Examples(pawsctl, hidden)


def _topology_ports(base: int) -> list[int]:
    every = [layout.variables(each, base).values() for each in ("sentinel", "cluster")]
    return [int(port) for ports in every for port in ports]


@contextmanager
def stack_examples(folder: Path, project: str, engine: str) -> Iterator[Examples]:
    """Examples that run this project's own Redis, and its topologies."""
    base, commander = free_base(_topology_ports), free_port()
    real = {
        str(base + port - 6379): str(port)
        for first, count in ((6379, 4), (7001, 6), (26379, 3))
        for port in range(first, first + count)
    } | {str(commander): "8081", str(free_port()): "3000"}
    pawsctl = Pawsctl(folder)
    pawsctl.environment |= {
        "PAWSCTL_ENGINE": engine,
        "PAWSCTL_PROJECT": project,
        "REDIS_PORT": str(base),
        "REDIS_COMMANDER_PORT": str(commander),
    }
    try:
        yield Examples(pawsctl, {project: "paws-wpp", **real, str(folder): "~"})
    finally:
        for topology in ("single", "sentinel", "cluster"):
            pawsctl("redis", "down", "--volumes", "--yes", "--topology", topology)


@contextmanager
def production_examples(folder: Path, project: str) -> Iterator[Examples]:
    """Examples of topologies on the embedded engine, and of a server with TLS."""
    signed = folder / "certificates"
    signed.mkdir()
    certificates = Certificates(signed)
    with (
        tls_server(certificates) as server,
        stack_examples(folder, project, "embedded") as examples,
    ):
        examples.pawsctl.environment["PATH"] = path_with_client()
        host, authority = _FAR
        far = {f"localhost:{server.port}": host, str(certificates.ca): authority}
        yield Examples(examples.pawsctl, far | dict(examples.hidden))


@contextmanager
def trouble_examples(folder: Path, project: str) -> Iterator[Examples]:
    """Examples that look for problems, beside a healthy bot."""
    with bot(200, HEALTHY) as url, stack_examples(folder, project, "embedded") as examples:
        examples.pawsctl.environment |= {
            "APP_URL": url,
            "REDIS_PASSWORD": "random",
            "PATH": path_with_client(),
        }
        yield Examples(examples.pawsctl, {url: "http://localhost:3000"} | dict(examples.hidden))


@contextmanager
def web_examples(folder: Path, server: Server) -> Iterator[Examples]:
    """Examples that ask a server at a port of its own, for a store of sessions."""
    with session_examples(folder, server) as examples:
        port = str(free_port())
        # Port 3000 is behind a name too.
        yield Examples(examples.pawsctl, {port: "3000"} | dict(examples.hidden))


@contextmanager
def task_examples(folder: Path, project: str) -> Iterator[Examples]:
    """Examples on a Redis with sessions, in whose place another one can be started, and a second.

    One of the sessions is three minutes old.
    """
    data = [folder / "data", folder / "more"]
    for each in data:
        each.mkdir()
    with (
        servers.running(data[0], program="redis-server") as server,
        servers.running(data[1], program="redis-server") as other,
    ):
        store_examples(server)
        key = "wh:session:+59899000001"
        session = json.loads(server.client.get(key) or "")
        session["updatedAt"] = int((time.time() - 200) * 1000)
        server.client.set(key, json.dumps(session, ensure_ascii=False), ex=21_400)
        pawsctl = Pawsctl(folder)
        pawsctl.environment |= {"REDIS_PORT": str(server.port), "PAWSCTL_PROJECT": project}
        own = free_port()
        ports = {str(server.port): "6379", str(own): "6380", str(other.port): "6390"}
        try:
            # A machine without a redis-server runs the other one.
            names = {"valkey-server": "redis-server", project: "paws-wpp", str(folder): "~"}
            yield Examples(pawsctl, names | ports)
        finally:
            pawsctl("redis", "down", "--volumes", "--yes", env={"REDIS_PORT": str(own)})


def masked(text: str) -> list[str]:
    """Return the lines of an output that are the same in every run: no numbers, no spacing."""
    text = re.sub(r"\d+[hms]( \d+[ms])?\b|\d+d \d+h", "0s", text)
    text = re.sub(r"sha256:[0-9a-f]+", "sha256", text)
    text = re.sub(r"[█▏▎▍▌▋▊▉]+", "█", text)
    text = re.sub(r"\d[\d.,:]*( [KMG]?B)?", "0", text)
    # Whether the health check has run yet, and whether one has to wait, differs between runs.
    text = text.replace("running, healthy", "running")
    lines = (" ".join(line.split()) for line in text.splitlines())
    return [line for line in lines if not line.startswith("Waiting")]


@contextmanager
def embedded_examples(folder: Path, project: str) -> Iterator[Examples]:
    """Examples of a machine without Docker, run as they are typed."""
    with stack_examples(folder, project, "embedded") as examples:
        yield Examples(examples.pawsctl, examples.hidden, typed=True)


def write(only: Sequence[str] = ()) -> None:
    """Write the real output of every example, or of those of some kinds, into its page."""
    kinds = only or dict.fromkeys(section.kind for section in SECTIONS)
    for kind in kinds:
        with tempfile.TemporaryDirectory() as name, _opened(kind, Path(name)) as running:
            for section in (each for each in SECTIONS if each.kind == kind):
                before, text, after = pages.parts(section.page, section.title)
                blocks = section.blocks
                for block, printed in zip(blocks, running.run_all(blocks), strict=True):
                    text = text.replace(block, printed, 1)
                section.page.write_text(before + text + after, "utf-8")


@contextmanager
def _opened(kind: str, folder: Path) -> Iterator[Examples]:
    if kind in ("sessions", "web"):
        (folder / "data").mkdir()
        (folder / "home").mkdir()
        examples = session_examples if kind == "sessions" else web_examples
        with (
            servers.running(folder / "data", program="redis-server") as server,
            examples(folder / "home", server) as running,
        ):
            yield running
        return
    opened: dict[str, Callable[[Path, str], AbstractContextManager[Examples]]] = {
        "stack": partial(stack_examples, engine="docker"),
        "production": production_examples,
        "trouble": trouble_examples,
        "failover": embedded_examples,
        "walk": embedded_examples,
        "tasks": task_examples,
    }
    with opened[kind](folder, PROJECT) as running:
        yield running
