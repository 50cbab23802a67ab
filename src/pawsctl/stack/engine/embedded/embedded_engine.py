"""The embedded engine, which runs this project's servers as processes of the user."""

from __future__ import annotations

import shutil
import time
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pawsctl.connection import probe
from pawsctl.errors import Conflict, OperationFailed
from pawsctl.files import state_dir
from pawsctl.stack.engine.embedded import log_files
from pawsctl.stack.engine.embedded.server_process import program
from pawsctl.stack.engine.embedded.service import Process
from pawsctl.stack.engine.protocol import (
    Astray,
    ClientCommand,
    LogLine,
    LogQuery,
    Plan,
    ServiceStatus,
    ServiceUp,
    Thing,
)
from pawsctl.stack.engine.rollback import rollback
from pawsctl.stack.engine.written_meanwhile import Meanwhile
from pawsctl.stack.events import AllUp, Emit, Ends, EngineName, Removed
from pawsctl.stack.project import mounted_files

if TYPE_CHECKING:
    from pawsctl.stack.project.project import Project


class EmbeddedEngine:
    """Runs the servers of the compose file as valkey-servers with the same settings."""

    name: EngineName = "embedded"

    def __init__(self, project: Project) -> None:
        self._home = home = project.directory / "embedded"
        self._project = project
        self._processes = [
            Process(
                service,
                home if project.topology == "single" else home / service.key,
                project.password_of(service),
            )
            for service in project.servers
        ]

    @property
    def in_use(self) -> bool:
        """Whether one of its servers runs, or ran and was not taken down: its data is here."""
        return any(each.in_use for each in self._processes)

    def prepare(self, plan: Plan) -> None:
        """Check that there is a valkey-server, and that its ports are free or ours.

        Raises NoEngine, Conflict.
        """
        program()
        ours = {port for each in self._processes for port in each.ports_held()}
        for each in self._processes_of(plan):
            if found := each.obstacle(ours):
                raise found

    def up(self, plan: Plan) -> tuple[ServiceUp, ...]:
        """Start the servers with the current settings, and wait until they answer."""
        program()
        wanted = self._processes_of(plan)
        deadline = time.monotonic() + plan.timeout
        with rollback(self._project.hint) as undo:
            meanwhile = Meanwhile(undo)
            done = tuple(each.up(plan, deadline, meanwhile) for each in wanted)
            for each in wanted:
                each.wait(plan, deadline, meanwhile)
            plan.form(deadline)
        plan.emit(AllUp())
        return done

    def stop(self, emit: Emit) -> tuple[str, ...]:
        """Shut the servers down, the last of the compose file first, and return their names."""
        return tuple(each.name for each in reversed(self._processes) if each.stop(emit))

    def end(self, emit: Emit) -> None:
        """Shut all running servers down."""
        for each in self._processes:
            each.shut_down(emit)

    def kill(self, service: str, emit: Emit) -> None:
        """Kill a server's process."""
        for each in self._processes:
            if each.key == service:
                each.write_out(emit)
                each.server.kill()

    def astray(self) -> tuple[Astray, ...]:
        """Return an empty tuple: an embedded server's data is always in its own folder."""
        return ()

    def belongings(self, *, volumes: bool) -> tuple[Thing, ...]:
        """Return the processes, and with `volumes` their data."""
        return tuple(
            thing for each in self._processes for thing in each.belongings(volumes=volumes)
        )

    def check_deletable(self) -> None:
        """Do nothing: an embedded server's data is in nobody else's use."""

    def down(self, *, volumes: bool, emit: Emit) -> tuple[Thing, ...]:
        """Shut the servers down and remove them, the last of the compose file first."""
        removed: list[Thing] = []
        found = {each: each.belongings(volumes=volumes) for each in reversed(self._processes)}
        # Shut all down before any data is deleted: no server must run with a part of a cluster.
        for each in () if volumes else found:
            each.write_out(emit)
        emit(Ends())
        for each in found:
            if volumes:
                each.server.end_for_deletion()
            else:
                each.server.shut_down()
        for each, things in found.items():
            each.remove(volumes=volumes)
            for thing in things:
                emit(Removed(thing.kind, thing.name))
            removed += things
        mounted_files.remove_if_empty(self._home)
        return tuple(removed)

    def status(self) -> tuple[ServiceStatus, ...]:
        """Return the status of the servers, running or not."""
        found = [each.status() for each in self._processes]
        return tuple(each for each in found if each.state != "absent") or tuple(found[:1])

    def without_data(self) -> frozenset[str]:
        """Return the services that have no data."""
        return frozenset(each.key for each in self._processes if not each.has_data())

    def files_in_use(self) -> frozenset[Path]:
        """Return the directories of the files that servers were started with."""
        return frozenset(folder for each in self._processes for folder in each.files_in_use())

    def drift(self) -> dict[str, tuple[str, ...]]:
        """Return, by name of each server that was started, what differs from the settings."""
        return {each.name: each.drift() for each in self._processes if each.in_use}

    def last_words(self, service: str, lines: int = 8) -> tuple[str, ...]:
        """Return the last lines of the log of a service's server."""
        return next((each.last_words(lines) for each in self._processes if each.key == service), ())

    def obstacle(self) -> Conflict | None:
        """Return the conflict if another program holds a port."""
        ours = {port for each in self._processes for port in each.ports_held()}
        return next(filter(None, (each.obstacle(ours) for each in self._processes)), None)

    def misplaced(self) -> Conflict | None:
        """Return the conflict if the folder of a running server was moved away."""
        return next(filter(None, (each.misplaced() for each in self._processes)), None)

    def logs(self, services: Collection[str], query: LogQuery) -> Iterator[LogLine]:
        """Return the log lines of the servers.

        Raises OperationFailed if one has no log, Conflict if its folder was moved away.
        """
        with state_dir.usable(self._home):
            there = [each for each in self._processes if each.server.log.exists()]
        known = [each.key for each in there]
        missing = [each for each in services if each not in known]
        if missing or not there:
            raise self.misplaced() or OperationFailed(
                f"The embedded engine has no {', '.join(missing) or 'server yet'}.",
                hint=self._start_it,
            )
        wanted = [each for each in there if not services or each.key in services]
        return log_files.read(
            {each.key: each.server.log for each in wanted},
            query,
            is_running=lambda: any(each.is_running for each in wanted),
        )

    def client(self, arguments: Sequence[str], *, terminal: bool) -> ClientCommand:
        """Return a call of this machine's redis-cli or valkey-cli: the embedded server has none.

        Raises OperationFailed if Redis is not running or there is none, Conflict if its folder was
        moved away.
        """
        process = self._processes[0]
        record = process.server.record()
        if record is None or not process.is_running:
            not_running = OperationFailed("Redis is not running.", hint=self._start_it)
            raise self.misplaced() or not_running
        found = shutil.which("redis-cli") or shutil.which("valkey-cli")
        if found is None:
            raise OperationFailed(
                "Neither redis-cli nor valkey-cli is on PATH, and the embedded server brings none.",
                hint="Install one, for example the package redis-tools.",
            )
        password = self._project.password
        return ClientCommand(
            (found, "-h", probe.HOST, "-p", str(record.port), *arguments),
            {"REDISCLI_AUTH": password} if password else {},
        )

    def _processes_of(self, plan: Plan) -> list[Process]:
        return [each for each in self._processes if each.key in plan.services]

    @property
    def _start_it(self) -> str:
        return f"Start it with 'pawsctl redis up{self._project.hint}'."
