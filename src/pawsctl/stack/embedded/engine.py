"""The embedded engine: this project's Redis as a process of the user."""

from __future__ import annotations

import shutil
import socket
import sys
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

from pawsctl.errors import OperationFailed
from pawsctl.stack import ports, wire
from pawsctl.stack.embedded import logs
from pawsctl.stack.embedded.server import Record, Server, program
from pawsctl.stack.engine import (
    Action,
    Command,
    Created,
    Emit,
    EngineName,
    LogLine,
    LogQuery,
    Plan,
    Ready,
    Recreating,
    Removed,
    ServiceStatus,
    ServiceUp,
    Started,
    Stopped,
    Thing,
)
from pawsctl.stack.interrupt import rollback, uninterrupted
from pawsctl.stack.project import PORT_SETTING, REDIS
from pawsctl.stack.ready import until_ready

if TYPE_CHECKING:
    from pawsctl.stack.project import Project

_NOTHING_THERE = "Start it with 'pawsctl redis up'."
_TAIL_LINES = 15
# Times with their zone, so that `--since` and `--timestamps` need not guess it.
_LOG_FORMAT = ("--log-timestamp-format", "iso8601")
# The compose file's names for what an option of the server says.
_FIELDS = {"--port": "ports", "--dir": "volumes"}


class EmbeddedEngine:
    """Runs the compose file's redis as a valkey-server with the same settings."""

    name: EngineName = "embedded"

    def __init__(self, project: Project) -> None:
        self._project = project
        self._server = Server(project.directory / "embedded")
        self._name = project.redis.container

    @property
    def holds_on(self) -> bool:
        """Whether its server runs, or was stopped to be started again."""
        record = self._server.record()
        return record is not None and (record.is_stopped or self._server.process() is not None)

    def up(self, plan: Plan) -> tuple[ServiceUp, ...]:
        """Make the server run, with the settings as they are now, and answer."""
        program()
        record, wanted = self._server.record(), self._arguments()
        changed: tuple[str, ...] = ()
        is_up = self._server.process() is not None
        if is_up and record and record.arguments == wanted:
            action: Action = "running"
        elif is_up and record:
            action, changed = "recreated", _changed(record.arguments, wanted)
            plan.emit(Recreating(REDIS, self._name, changed))
        else:
            action = "started" if record else "created"
        with rollback() as undo:
            start = self._server.log_size()
            if action != "running":
                self._launch(wanted, record if is_up else None, undo)
                event = Started(REDIS, self._name) if record else Created("process", self._name)
                plan.emit(event)
            until_ready(
                REDIS,
                plan,
                deadline=time.monotonic() + plan.timeout,
                died=lambda: self._died(start),
                log_tail=lambda: self._tail(start),
            )
        plan.emit(Ready(REDIS, self._name))
        return (ServiceUp(REDIS, self._name, action, changed),)

    def stop(self, emit: Emit) -> tuple[str, ...]:
        """Shut the server down; what it holds is saved."""
        record = self._server.record()
        if record is None or not self._server.shut_down():
            return ()
        self._server.remember(Record(record.pid, record.port, record.arguments, is_stopped=True))
        emit(Stopped(REDIS, self._name))
        return (self._name,)

    def belongings(self, *, volumes: bool) -> tuple[Thing, ...]:
        """The process, and with `volumes` its data."""
        things = [Thing("process", self._name)] if self._server.record() else []
        if volumes and self._server.data.exists():
            things.append(Thing("data", str(self._server.data)))
        return tuple(things)

    def down(self, *, volumes: bool, emit: Emit) -> tuple[Thing, ...]:
        """Shut the server down and forget it."""
        things = self.belongings(volumes=volumes)
        self._server.shut_down()
        self._server.forget()
        self._server.log.unlink(missing_ok=True)
        if volumes and self._has_data():
            shutil.rmtree(self._server.data)
        for each in things:
            emit(Removed(each.kind, each.name))
        return things

    def status(self) -> tuple[ServiceStatus, ...]:
        """The server, whether it runs or not."""
        record, process = self._server.record(), self._server.process()
        if record is None:
            return (ServiceStatus(REDIS, self._name, "absent", None, (), None),)
        if process is None:
            return (ServiceStatus(REDIS, self._name, "exited", None, (), None),)
        is_healthy = wire.ping(record.port, self._project.password) == ""
        return (
            ServiceStatus(
                service=REDIS,
                name=self._name,
                state="running",
                health="healthy" if is_healthy else "unhealthy",
                ports=(f"{wire.HOST}:{record.port}",),
                uptime=max(0.0, time.time() - process.create_time()),
            ),
        )

    def logs(self, services: Collection[str], query: LogQuery) -> Iterator[LogLine]:
        """What the server wrote."""
        missing = [each for each in services if each != REDIS]
        if missing or not self._server.log.exists():
            raise OperationFailed(
                f"The embedded engine has no {', '.join(missing) or 'server yet'}.",
                hint=_NOTHING_THERE,
            )
        return logs.read(
            self._server.log, REDIS, query, is_running=lambda: self._server.process() is not None
        )

    def client(self, arguments: Sequence[str], *, terminal: bool) -> Command:
        """The redis-cli or valkey-cli of this machine: the embedded server brings none."""
        record = self._server.record()
        if record is None or self._server.process() is None:
            raise OperationFailed("Redis is not running.", hint=_NOTHING_THERE)
        found = shutil.which("redis-cli") or shutil.which("valkey-cli")
        if found is None:
            raise OperationFailed(
                "Neither redis-cli nor valkey-cli is on PATH, and the embedded server brings none.",
                hint="Install one, for example the package redis-tools.",
            )
        password = self._project.password
        return Command(
            (found, "-h", wire.HOST, "-p", str(record.port), *arguments),
            {"REDISCLI_AUTH": password} if password else {},
        )

    def _arguments(self) -> tuple[str, ...]:
        """What the container's redis-server is given, with this machine's paths, port and data."""
        redis = self._project.redis
        places = {each.target: str(each.source) for each in redis.files}
        given = tuple(places.get(word, word) for word in redis.command[1:])
        port = ("--port", str(redis.ports[0].published), "--bind", redis.ports[0].host)
        return (*given, *port, "--dir", str(self._server.data), *_LOG_FORMAT)

    def _launch(self, wanted: tuple[str, ...], running: Record | None, undo: ExitStack) -> None:
        """Start the server, in the place of the one that runs."""
        port = self._project.redis.ports[0].published
        before, had_data = self._server.record(), self._has_data()
        if running:
            undo.callback(self._server.launch, running.arguments, running.port)
            self._server.shut_down()
        if not _is_free(port):
            raise ports.busy(port, PORT_SETTING[REDIS], held_by=ports.holder(port))
        with uninterrupted():
            undo.callback(self._undo_launch, before, had_data=had_data)
            self._server.launch(wanted, port)

    def _undo_launch(self, before: Record | None, *, had_data: bool) -> None:
        self._server.kill()
        self._server.forget()
        if before:
            self._server.remember(before)
        if not had_data:
            shutil.rmtree(self._server.directory)

    def _has_data(self) -> bool:
        return self._server.data.exists()

    def _died(self, start: int) -> str:
        if self._server.process() is not None:
            return ""
        if any("Address already in use" in line for line in self._server.log_from(start)):
            port = self._project.redis.ports[0].published
            raise ports.busy(port, PORT_SETTING[REDIS], held_by=ports.holder(port))
        return "it ended"

    def _tail(self, start: int) -> tuple[str, ...]:
        return self._server.log_from(start)[-_TAIL_LINES:]


def _changed(before: tuple[str, ...], wanted: tuple[str, ...]) -> tuple[str, ...]:
    """The compose file's names of the fields that differ between two command lines."""
    if len(before) != len(wanted):
        return ("command",)
    names = []
    for index, (old, new) in enumerate(zip(before, wanted, strict=True)):
        if old != new:
            is_file = index == 0
            names.append("secrets" if is_file else _FIELDS.get(wanted[index - 1], "command"))
    return tuple(dict.fromkeys(names))


def _is_free(port: int) -> bool:
    """Whether a server could listen there. A server that only then found out would still have been
    taken for ready, by the answers of the one that holds the port.
    """
    with socket.socket() as probe:
        if sys.platform != "win32":
            # As the server does: a port whose last connections linger is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((wire.HOST, port))
        except OSError:
            return False
    return True
