"""One service as a process: the compose file's command with this machine's paths."""

from __future__ import annotations

import shutil
import time
from collections.abc import Collection
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pawsctl.connection import probe
from pawsctl.errors import Conflict
from pawsctl.files import state_dir
from pawsctl.stack.engine import append_only, ports
from pawsctl.stack.engine.embedded import arguments, moved_server
from pawsctl.stack.engine.embedded.data_folder import has_append_only_file
from pawsctl.stack.engine.embedded.server_process import ServerProcess, ServerRecord
from pawsctl.stack.engine.embedded.snapshot import Snapshot
from pawsctl.stack.engine.protocol import Action, Plan, ServiceStatus, ServiceUp, Thing
from pawsctl.stack.engine.rollback import uninterrupted
from pawsctl.stack.engine.wait import until_ready
from pawsctl.stack.engine.written_meanwhile import Meanwhile
from pawsctl.stack.events import Created, Emit, Ends, Ready, Recreating, Started, Stopped, Unseen
from pawsctl.stack.project import layout, mounted_files

if TYPE_CHECKING:
    from pawsctl.stack.project.services import Service

_TAIL_LINES = 15


class Process:
    """A service and its server process; its state is in `directory`."""

    def __init__(self, service: Service, directory: Path, password: str | None) -> None:
        self.service = service
        self.server = ServerProcess(directory)
        self._password = password
        self._log_start = 0

    @property
    def key(self) -> str:
        """The service's name in the compose file."""
        return self.service.key

    @property
    def name(self) -> str:
        """The name that its container would have under Docker."""
        return self.service.container

    @property
    def is_running(self) -> bool:
        """Whether its process runs."""
        return self.server.process() is not None

    @property
    def in_use(self) -> bool:
        """Whether its server runs, or ran and was not taken down."""
        return self.server.record() is not None

    def up(self, plan: Plan, deadline: float, meanwhile: Meanwhile) -> ServiceUp:
        """Start the server, or restart it if its settings have changed; `undo` reverts that.

        Loading a snapshot ends at `deadline` (in seconds of `time.monotonic`).
        """
        record, wanted = self.server.record(), self._arguments()
        changed: tuple[str, ...] = ()
        is_up = self.is_running
        if is_up and record and not record.arguments:
            # The settings it was started with are unknown.
            self.shut_down(plan.emit)
            is_up = False
        if is_up and record and record.arguments == wanted:
            action: Action = "running"
        elif is_up and record:
            action, changed = "recreated", arguments.changed(record.arguments, wanted)
            is_seen = self.write_out(plan.emit)
            plan.emit(Recreating(self.key, self.name, changed, is_seen))
        else:
            action = "started" if record else "created"
        self._log_start = self.server.log_size()
        if action != "running":
            left = self._snapshot(plan, deadline)
            self._launch(wanted, record if is_up else None, meanwhile, left)
            plan.emit(Started(self.key, self.name) if record else Created("process", self.name))
        elif record:
            self.server.remember(record)
        return ServiceUp(self.key, self.name, action, changed)

    def wait(self, plan: Plan, deadline: float, meanwhile: Meanwhile) -> None:
        """Wait until it answers, at most until `deadline` (in seconds of `time.monotonic`).

        Raises OperationFailed, Conflict, TimedOut.
        """
        self._await_answer(plan, deadline)
        meanwhile.answered(self.key)
        plan.emit(Ready(self.key, self.name))

    def _await_answer(self, plan: Plan, deadline: float) -> None:
        until_ready(self.key, plan, deadline=deadline, died=self._died, log_tail=self._log_tail)

    def _snapshot(self, plan: Plan, deadline: float) -> Snapshot:
        return Snapshot(
            self.server, self.key, plan.emit, partial(self._await_answer, plan, deadline)
        )

    def stop(self, emit: Emit) -> bool:
        """Shut the server down with its data saved, and return whether it ran."""
        self.write_out(emit)
        if self.is_running:
            emit(Ends())
        was_running = self.server.shut_down()
        if was_running:
            emit(Stopped(self.key, self.name))
        return was_running

    def shut_down(self, emit: Emit) -> bool:
        """Shut the server down with its data where its next start finds it; return if it ran.

        Raises Conflict if that can't be, TimedOut.
        """
        self.write_out(emit)
        return self.server.shut_down()

    def write_out(self, emit: Emit) -> bool:
        """Have all data of a running server on disk, and return whether it tells that it is.

        Raises Conflict if it can't be written.
        """
        record = self.server.record()
        if record is None or not self.is_running or layout.is_sentinel(self.service):
            return True
        # The setting may have changed since its start.
        passwords = (self._password, *map(mounted_files.password_in, self.files_in_use()))
        try:
            password = probe.accepted(record.port, passwords)
            is_there = partial(has_append_only_file, self.server.data)
            append_only.complete(record.port, password, is_there)
        except append_only.NotWritten as error:
            raise Conflict(
                f"{self.name} would lose data if it were stopped: its append-only file does not "
                f"hold all of it ({error}). It was not stopped.",
                hint="Make room where its data is, or remove what is in the way, and run this "
                f"again. Its log: {self.server.log}",
            ) from error
        except ConnectionRefusedError:
            # It is starting or ending.
            return True
        except (probe.Refused, OSError) as error:
            # One that another command has ended hangs up, and there is nothing left to warn of.
            if not (isinstance(error, ConnectionError) and self.server.ends()):
                emit(Unseen(self.name, probe.reason(error)))
            return False
        return True

    def has_data(self) -> bool:
        """Whether there is a folder with its data."""
        return self.server.data.exists()

    def belongings(self, *, volumes: bool) -> tuple[Thing, ...]:
        """Return the process, and with `volumes` its data."""
        things = [Thing("process", self.name)] if self.server.record() else []
        if volumes and self.has_data():
            things.append(Thing("data", str(self.server.data)))
        return tuple(things)

    def remove(self, *, volumes: bool) -> None:
        """Delete the files of a server that was shut down, with `volumes` also its data.

        Raises OperationFailed if a file can't be deleted.
        """
        self.server.forget()
        with state_dir.usable(self.server.data):
            self.server.log.unlink(missing_ok=True)
        if volumes:
            self.server.delete_data()
        mounted_files.remove_if_empty(self.server.directory)

    def status(self) -> ServiceStatus:
        """Return the status of the server, running or not."""
        record, process = self.server.record(), self.server.process()
        if moved := self._moved():
            record, process = moved.record, moved.process
        if record is None:
            return ServiceStatus(self.key, self.name, "absent", None, (), None)
        if process is None:
            return ServiceStatus(self.key, self.name, "exited", None, (), None)
        is_healthy = probe.ping(record.port, self._password) == ""
        return ServiceStatus(
            service=self.key,
            name=self.name,
            state="running",
            health="healthy" if is_healthy else "unhealthy",
            ports=(f"{probe.HOST}:{record.port}",),
            uptime=max(0.0, time.time() - process.create_time()),
        )

    def obstacle(self, ours: Collection[int] = ()) -> Conflict | None:
        """Return the conflict if one of its ports, other than those in `ours`, is taken."""
        for port in self.service.ports:
            if port.published not in ours and not ports.is_free(port.published):
                return ports.busy(self.service, port.published)
        return None

    def misplaced(self) -> Conflict | None:
        """Return the conflict if its server runs and its folder was moved away meanwhile."""
        moved = self._moved()
        return moved and moved_server.conflict(self.name, self.server.data, moved)

    def _moved(self) -> moved_server.Moved | None:
        return moved_server.find(self.server, self.service.ports[0].published)

    def drift(self) -> tuple[str, ...]:
        """Return the fields in which the settings differ from those of the started server."""
        record = self.server.record()
        return arguments.changed(record.arguments, self._arguments()) if record else ()

    def last_words(self, lines: int) -> tuple[str, ...]:
        """Return the last lines of its log; none if it has no log."""
        return self.server.log_from(0)[-lines:] if self.server.log_size() else ()

    def files_in_use(self) -> set[Path]:
        """Return the directories of the files that its server was started with."""
        record = self.server.record()
        words = record.arguments if record else ()
        return {Path(word).parent for word in words if Path(word).is_absolute()}

    def ports_held(self) -> set[int]:
        """Return the ports that it listens on; none if it does not run."""
        record = self.server.record()
        if record is None or not self.is_running:
            return set()
        # The port of the cluster bus moves with the first.
        moved = record.port - self.service.ports[0].published
        return {port.published + moved for port in self.service.ports}

    def _arguments(self) -> tuple[str, ...]:
        return arguments.of_service(self.service, self.server.data)

    def _launch(
        self,
        wanted: tuple[str, ...],
        running: ServerRecord | None,
        meanwhile: Meanwhile,
        left: Snapshot,
    ) -> None:
        """Start the server, after a shutdown of the one that is `running`.

        A snapshot that it would not read, `left` in its folder, is read before.
        """
        undo, before, had_data = meanwhile.undo, self.server.record(), self.has_data()
        if running:
            # On undo the old server starts only after the new one has ended: two must never share
            # the data.
            with uninterrupted():
                self.server.shut_down()
                undo.callback(self.server.launch, running.arguments, running.port)
        if taken := self.obstacle():
            raise taken
        with uninterrupted():
            undo.callback(self._undo_launch, before, None if had_data else meanwhile)
            arguments.prepare(Path(wanted[0]), self.server.data)
        if not layout.is_sentinel(self.service) and left.is_unread():
            left.load(wanted, self.service.ports[0].published, self._password)
        with uninterrupted():
            self.server.launch(wanted, self.service.ports[0].published)
            if not had_data and not layout.is_sentinel(self.service):
                port = self.service.ports[0].published
                meanwhile.started(self.key, port, self._password, lambda: self.is_running)

    def _undo_launch(self, before: ServerRecord | None, meanwhile: Meanwhile | None) -> None:
        """End the server; delete its data if there was none before and nobody has written."""
        keeps = meanwhile is None or meanwhile.keep(self.key, f"The data of {self.name}")
        if keeps and probe.ping(self.service.ports[0].published, self._password) == "":
            # Shut down in order: the last acknowledged writes may not be in its file yet.
            self.server.shut_down()
        self.server.kill()
        if before:
            self.server.remember(before)
        else:
            self.server.forget()
        if not keeps:
            with state_dir.usable(self.server.directory):
                # An interruption may come before it is made.
                if self.server.directory.exists():
                    shutil.rmtree(self.server.directory)

    def _died(self) -> str:
        if self.is_running:
            return ""
        if any("Address already in use" in line for line in self.server.log_from(self._log_start)):
            raise ports.busy(self.service, self.service.ports[0].published)
        return "it ended"

    def _log_tail(self) -> tuple[str, ...]:
        return self.server.log_from(self._log_start)[-_TAIL_LINES:]
