"""The README's examples, run: `python -m tests.readme` writes what they really print into it.

An example is a `console` block: lines that begin with `$ ` are commands, the rest their output. The
test in tests/cli/test_readme.py runs the same and compares.
"""

import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pawsctl.stack import layout
from tests import servers
from tests.bot import HEALTHY, bot
from tests.certificates import Certificates, tls_server
from tests.cli_runner import Pawsctl
from tests.ports import free_base, free_port
from tests.servers import Server, required

README = Path(__file__).parent.parent / "README.md"
SAMPLES = Path(__file__).parent / "sessions"
PROJECT = "pawsctl-test-readme"

_BLOCK = re.compile(r"(?<=^```console\n).*?(?=^```$)", re.MULTILINE | re.DOTALL)

# A server with TLS, and the authority that has signed its certificate.
_FAR = ("redis.example.com:6380", "/etc/ssl/redis-ca.pem")

# What the examples find stored: phone → (sample, seconds to live).
STORED: Mapping[str, tuple[str, int | None]] = {
    "+59899000001": ("register-pet.json", 21_000),
    "+59899000002": ("waiting.json", 12_345),
    "+59899000003": ("two-tools-one-turn.json", 7_200),
    "+59899000004": ("web-search.json", 599),
    "+59899000005": ("broken/truncated.txt", 18_000),
}


def parts(section: str) -> tuple[str, str, str]:
    """The README before a second-level heading, from there to the next, and after that."""
    text = README.read_text("utf-8")
    begin = text.index(f"\n## {section}\n")
    end = text.find("\n## ", begin + 1)
    end = end if end > 0 else len(text)
    return text[:begin], text[begin:end], text[end:]


def blocks(section: str) -> list[str]:
    """The console blocks under a second-level heading."""
    return _BLOCK.findall(parts(section)[1])


def store_examples(server: Server) -> None:
    """Store what the examples find, and nothing else."""
    server.client.flushall()
    # What earlier work on the server left: its figures, and the limit that an example sets.
    server.client.config_resetstat()
    server.client.config_set("maxmemory", 0)
    for phone, (name, ttl) in STORED.items():
        server.client.set(f"wh:session:{phone}", (SAMPLES / name).read_bytes(), ex=ttl)


class Examples:
    """Runs examples in a folder of their own; the ports and names of the run are hidden."""

    def __init__(self, pawsctl: Pawsctl, hidden: Mapping[str, str]) -> None:
        self.pawsctl = pawsctl
        self.hidden = hidden

    def run(self, block: str) -> str:
        """The block as it should stand: each command with what it prints, stderr included."""
        lines = []
        for line in block.splitlines():
            if line.startswith("$ "):
                lines.append(line)
                printed = self._run(line.removeprefix("$ "))
                lines += printed.rstrip("\n").splitlines()
        return "\n".join(lines) + "\n"

    def _run(self, command: str) -> str:
        for real, shown in self.hidden.items():
            # What the README calls 6379 is a free port here, and its far host is this one.
            if real.isdigit():
                command = re.sub(rf":{shown}\b", f":{real}", command)
            elif shown in _FAR:
                command = command.replace(shown, real)
        words = shlex.split(command)
        shell = command if {"|", "&", ";", "&&", "echo"} & set(words) else f"exec {command}"
        done = subprocess.run(
            ["sh", "-c", shell],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self.pawsctl.folder,
            env=self.pawsctl.environment
            | {"PATH": f"{Path(sys.executable).parent}:{self.pawsctl.environment['PATH']}"}
            | {"COLUMNS": "100"},
            timeout=120,
            check=False,
        )
        printed = done.stdout.decode()
        for real, shown in self.hidden.items():
            printed = printed.replace(real, shown)
        return printed


@contextmanager
def session_examples(folder: Path, server: Server) -> Iterator[Examples]:
    """Examples that look into a store of sessions."""
    store_examples(server)
    pawsctl = Pawsctl(folder, server.url)
    for name in ("PAWSCTL_ENGINE", "PAWSCTL_PROJECT"):
        del pawsctl.environment[name]
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
    } | {str(commander): "8081"}
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
    """The same on the embedded engine, and a server with TLS."""
    required("redis-cli", "valkey-cli")
    signed = folder / "certificates"
    signed.mkdir()
    certificates = Certificates(signed)
    with (
        tls_server(certificates) as server,
        stack_examples(folder, project, "embedded") as examples,
    ):
        host, authority = _FAR
        far = {f"localhost:{server.port}": host, str(certificates.ca): authority}
        yield Examples(examples.pawsctl, far | dict(examples.hidden))


@contextmanager
def trouble_examples(folder: Path, project: str) -> Iterator[Examples]:
    """Examples that find out what is wrong, beside a bot that is well."""
    required("redis-cli", "valkey-cli")
    with bot(200, HEALTHY) as url, stack_examples(folder, project, "embedded") as examples:
        examples.pawsctl.environment |= {"APP_URL": url, "REDIS_PASSWORD": "random"}
        yield Examples(examples.pawsctl, {url: "http://localhost:3000"} | dict(examples.hidden))


def masked(text: str) -> list[str]:
    """What of an output is the same in every run: its words, without numbers and spacing."""
    text = re.sub(r"\d+[hms]( \d+[ms])?\b|\d+d \d+h", "0s", text)
    text = re.sub(r"sha256:[0-9a-f]+", "sha256", text)
    text = re.sub(r"[█▏▎▍▌▋▊▉]+", "█", text)
    text = re.sub(r"\d[\d.,:]*( [KMG]?B)?", "0", text)
    # Whether the health check has run yet is a matter of luck, as is whether one has to wait.
    text = text.replace("running, starting", "running, healthy")
    lines = (" ".join(line.split()) for line in text.splitlines())
    # And who else has an account on this machine.
    chance = ("Waiting", "warning: This project's Redis has no password")
    return [line for line in lines if not line.startswith(chance)]


def main() -> None:
    """Write the real output of every example into the README."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for each in ("data", "session", "stack", "production", "trouble"):
            (folder / each).mkdir()
        with (
            servers.running(folder / "data", program="redis-server") as server,
            session_examples(folder / "session", server) as session,
            stack_examples(folder / "stack", PROJECT, "docker") as stack,
            production_examples(folder / "production", PROJECT) as production,
            trouble_examples(folder / "trouble", PROJECT) as trouble,
        ):
            kinds = {
                "Sessions": session,
                "Checks, memory, settings": session,
                "Redis": stack,
                "Production": production,
                "When something is wrong": trouble,
            }
            for section, examples in kinds.items():
                before, text, after = parts(section)
                for block in blocks(section):
                    text = text.replace(block, examples.run(block), 1)
                README.write_text(before + text + after, "utf-8")


if __name__ == "__main__":
    main()
