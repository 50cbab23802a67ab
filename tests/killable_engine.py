"""A Docker Engine that tests may kill at a chosen moment, and start again."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

import psutil

from tests.processes import wait_until


class Daemon:
    """The dockerd of a `second_engine`, which may be damaged."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._folder = Path(address.removeprefix("unix://")).parent
        self._pid = int((self._folder / "pid").read_text())
        # A dockerd that is killed leaves its mounts, which its successor has to find.
        self._mounts = os.open(f"/proc/{self._pid}/ns/mnt", os.O_RDONLY)
        self._command = [
            *("nsenter", f"--mount=/proc/{os.getpid()}/fd/{self._mounts}"),
            *psutil.Process(self._pid).cmdline(),
        ]
        self._started: subprocess.Popen[bytes] | None = None

    def signal(self, number: signal.Signals) -> None:
        """Send the daemon a signal."""
        with suppress(ProcessLookupError):
            os.kill(self._pid, number)

    def kill(self) -> None:
        """Kill it, and with it its own containerd, if it has one."""
        self.signal(signal.SIGKILL)
        wait_until(self.is_gone, "dockerd is killed")

    def stop(self) -> None:
        """Stop it in order."""
        self.signal(signal.SIGTERM)
        wait_until(self.is_gone, "dockerd has stopped")

    def heal(self) -> None:
        """Make it answer again."""
        self.signal(signal.SIGCONT)
        if self.is_gone():
            # Else it would wait for its predecessor's containerd, which died too.
            (self._folder / "exec/containerd/containerd.pid").unlink(missing_ok=True)
            self._started = subprocess.Popen(
                self._command,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                # containerd writes its stacks there, as in `second_engine`.
                env=os.environ | {"TMPDIR": str(self._folder)},
                start_new_session=True,
            )
            self._pid = self._started.pid
        wait_until(self._answers, "dockerd comes back")

    def restart(self) -> None:
        """Stop it, and start it again."""
        self.stop()
        self.heal()

    def is_gone(self) -> bool:
        """Return whether its process has ended."""
        if self._started is not None:
            return self._started.poll() is not None
        # dockerd would mistake a predecessor's zombie process for another running dockerd.
        with suppress(ChildProcessError):
            os.waitpid(self._pid, os.WNOHANG)
        return not psutil.pid_exists(self._pid)

    def _answers(self) -> bool:
        command = ["docker", "-H", self.address, "version"]
        return subprocess.run(command, capture_output=True, timeout=10, check=False).returncode == 0

    def end(self) -> None:
        """Stop the processes that `heal` started."""
        if self._started is not None:
            self._started.terminate()
            self._started.wait()
        os.close(self._mounts)
