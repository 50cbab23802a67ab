"""What an engine can do, what it tells while it does it, and what it gives back.

Two engines fit this: `docker` runs containers, `embedded` a process. Nothing else of pawsctl knows
which one is at work. An engine prints nothing: it emits events, and returns frozen values.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol, Self

from msgspec import Struct

from pawsctl.errors import Conflict, OperationFailed
from pawsctl.stack.events import Emit, EngineName, Kind
from pawsctl.stack.project.project import Probe

Pull = Literal["missing", "always", "never"]
Action = Literal["created", "recreated", "started", "running"]


class FilesNotSeen(OperationFailed):
    """An engine does not see files of this machine that it was to mount."""

    @classmethod
    def of(cls, directory: Path, reason: str) -> Self:
        """The failure for the files in a directory, with what the engine said."""
        return cls(
            f"The Docker Engine does not see {directory} as it is here: {reason.rstrip('.')}.",
            hint="It has a file system of its own, as from a snap or in a virtual machine: set "
            "XDG_STATE_HOME to a directory that it sees, for example one in your home that does "
            "not begin with a dot; or set PAWSCTL_ENGINE=embedded to do without Docker.",
        )


# Makes a whole of services that all answer, before a deadline (time.monotonic).
Form = Callable[[float], None]


def nothing_to_form(_deadline: float) -> None:
    """For services that need nothing but to run."""


class ServiceUp(Struct, frozen=True):
    """What `up` did for a service; `changed` names the fields that differed."""

    service: str
    name: str
    action: Action
    changed: tuple[str, ...] = ()


class Thing(Struct, frozen=True):
    """Something that belongs to the project and can be removed."""

    kind: Kind
    name: str


class Astray(Struct, frozen=True):
    """A container whose data lies `where` the service as described would not find it, in words.

    `volume` is the volume that it lies in, if it is one; `folder` one of this machine.
    """

    name: str
    where: str
    volume: str | None
    folder: str | None


class ServiceStatus(Struct, frozen=True):
    """A service as its engine sees it.

    `state` is Docker's word (running, exited, restarting …) or `absent`; `health` is healthy,
    unhealthy, starting or null. `ports` reads `127.0.0.1:6379->6379/tcp`, `uptime` is seconds.
    """

    service: str
    name: str
    state: str
    health: str | None
    ports: tuple[str, ...]
    uptime: float | None


class LogLine(Struct, frozen=True):
    """One line that a service wrote, as it wrote it."""

    service: str
    time: datetime | None
    text: str


class LogQuery(Struct, frozen=True):
    """Which lines: the last `tail` (None is all), those from `since` on, and those to come."""

    tail: int | None = None
    since: datetime | None = None
    follow: bool = False


class ClientCommand(Struct, frozen=True):
    """A program to run in the foreground, and what its environment has beyond ours."""

    arguments: tuple[str, ...]
    environment: dict[str, str]


@dataclass(frozen=True)
class Plan:
    """What `up` is to reach, and when it is reached.

    `timeout` is how many seconds it may take, from when all images are there.
    """

    services: Sequence[str]
    probes: dict[str, Probe]
    timeout: float
    emit: Emit = field(repr=False)
    pull: Pull = "missing"
    form: Form = nothing_to_form


class Engine(Protocol):
    """Runs the services of one project."""

    @property
    def name(self) -> EngineName:
        """What a person calls it."""

    def prepare(self, plan: Plan) -> None:
        """Get what `up` will need, and look whether something is in its way.

        What this project itself holds is not: it is about to be removed. Raises Conflict for a port
        or name that is somebody else's, OperationFailed for an image that is not to be had.
        """

    def up(self, plan: Plan) -> tuple[ServiceUp, ...]:
        """Make the services exist, as described, run and answer.

        What a failed or interrupted call created is removed again, and nothing else. Raises
        Conflict for a port or name that is somebody else's, TimedOut, OperationFailed.
        """

    def stop(self, emit: Emit) -> tuple[str, ...]:
        """Shut down every service that runs, keep all, and return their names."""

    def end(self) -> None:
        """Have what was told to end have ended, before it is taken for what runs.

        Where that could lose data, nothing is done.
        """

    def kill(self, service: str) -> None:
        """End a service at once, as a crash would; `up` starts it again."""

    def astray(self) -> tuple[Astray, ...]:
        """What holds keys, or may hold some, that `up` would have to take over first."""

    def belongings(self, *, volumes: bool) -> tuple[Thing, ...]:
        """What `down` would remove."""

    def down(self, *, volumes: bool, emit: Emit) -> tuple[Thing, ...]:
        """Stop and remove all that is this project's, and with `volumes` its data."""

    def status(self) -> tuple[ServiceStatus, ...]:
        """Every service that exists, and the first one in any case."""

    def files_in_use(self) -> frozenset[Path]:
        """The directories of the files that services which exist have mounted, or read."""

    def obstacle(self) -> Conflict | None:
        """What would keep `up` from starting the first service, which does not run."""

    def logs(self, services: Collection[str], query: LogQuery) -> Iterator[LogLine]:
        """Lines of these services, or of all where none is named."""

    def client(self, arguments: Sequence[str], *, terminal: bool) -> ClientCommand:
        """The command line of a redis-cli that is logged in to this project's Redis."""
