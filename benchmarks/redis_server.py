"""A Redis for one benchmark run, and a store of sessions that can be restored."""

import json
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil

from benchmarks.measure import Work, run
from pawsctl.config.redis_url import parse
from pawsctl.connection import Timeouts, connect
from pawsctl.stack.engine.embedded.server_process import program


class Store:
    """A server on a free port whose data can be filled once and restored often."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The server's URL."""
        return f"redis://127.0.0.1:{self.port}"

    @property
    def binary(self) -> str:
        """Return Redis if this machine has it, else Valkey."""
        return shutil.which("redis-server") or str(program())

    def start(self) -> None:
        """Start, or restart with the data that was last saved."""
        self.stop()
        arguments = ["--port", str(self.port), "--save", "", "--appendonly", "no"]
        self.process = subprocess.Popen(
            [self.binary, *arguments, "--dir", str(self.folder)], stdout=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 60
        while not self._is_ready():
            if time.monotonic() > deadline:
                raise RuntimeError("the server does not answer")
            time.sleep(0.02)

    def _is_ready(self) -> bool:
        try:
            return bool(self.call("PING") == b"PONG")
        except Exception:  # noqa: BLE001 - refused, or still loading: not yet
            return False

    def stop(self) -> None:
        """Kill the server, which keeps the data that was last saved."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def processor_seconds(self) -> float:
        """Return the processor time that the server has used so far."""
        assert self.process
        return seconds_of(self.process.pid)

    def call(self, *command: str | bytes | int) -> object:
        """Send one command."""
        # SAVE of a million sessions may take long on a slow disk.
        patient = Timeouts(reply=120)
        node = connect(parse(self.url, origin="the benchmark"), patient)
        try:
            return node.call(*command)
        finally:
            node.close()

    def seed(self, count: int) -> float:
        """Write and save exactly `count` sessions; return sessions per second."""
        self.call("FLUSHALL")
        done = run(
            Work("seed", [sys.executable, "-m", "pawsctl", "session", "seed", str(count)],
                 {"REDIS_URL": self.url})
        )  # fmt: skip
        self.call("SAVE")
        return count / done.wall

    def restore(self) -> None:
        """Restore the seeded data."""
        self.start()


class Cluster:
    """The cluster of `redis up --topology cluster`, with its state in the benchmark's folder."""

    def __init__(self, folder: Path, project: str) -> None:
        self.folder = folder
        self.environment = {
            "PAWSCTL_PROJECT": project,
            "PAWSCTL_ENGINE": "embedded",
            "REDIS_PORT": "9379",
            "XDG_STATE_HOME": str(folder / "state"),
        }

    def up(self) -> None:
        """Start it, and learn its URL."""
        self._redis("up")
        status = subprocess.run(
            [sys.executable, "-m", "pawsctl", "redis", "status", "--topology", "cluster", "--json"],
            env=self.environment,
            capture_output=True,
            check=True,
        )
        self.environment["REDIS_URL"] = json.loads(status.stdout)["url"]

    def down(self) -> None:
        """Stop it and delete its data."""
        del self.environment["REDIS_URL"]
        self._redis("down", "--volumes", "--yes")

    def _redis(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "pawsctl", "redis", *arguments, "--topology", "cluster"]
        run(Work(" ".join(command), command, self.environment))

    def work(self, *arguments: str) -> Work:
        """Return a pawsctl command on the cluster."""
        program = str(Path(sys.executable).with_name("pawsctl"))
        return Work(" ".join(arguments), [program, *arguments], self.environment)

    def processor_seconds(self) -> float:
        """Return the processor time that all its nodes have used so far."""
        state = str(self.folder / "state")
        return sum(
            seconds_of(each.pid)
            for each in psutil.process_iter(["name", "cwd"])
            if each.info["name"] == "valkey-server" and (each.info["cwd"] or "").startswith(state)
        )


def free_port() -> int:
    """Return a port that nothing on this machine uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def seconds_of(process: int) -> float:
    """Return the processor seconds that a process has used so far."""
    times = psutil.Process(process).cpu_times()
    return float(times.user + times.system)
