"""The protocol of an engine: its operations, their arguments and their results.

There are two engines: `docker` runs containers, `embedded` processes. The rest of pawsctl does not
know which one is at work. An engine prints nothing: it emits events and returns frozen values.
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
Action = Literal["created", "recreated", "started", "restarted", "running"]


class FilesNotSeen(OperationFailed):
    """An engine does not see files of this machine that it was to mount."""

    @classmethod
    def of(cls, directory: Path, reason: str) -> Self:
        """Return the error for the files in a directory; `reason` is the engine's message."""
        return cls(
            f"The Docker Engine does not see {directory} as it is here: {reason.rstrip('.')}.",
            hint="It has a file system of its own, as from a snap or in a virtual machine: set "
            "XDG_STATE_HOME to a directory that it sees, for example one in your home that does "
            "not begin with a dot; or set PAWSCTL_ENGINE=embedded to do without Docker.",
        )


# Forms a topology from services that all answer, before a deadline (time.monotonic).
Form = Callable[[float], None]


def nothing_to_form(_deadline: float) -> None:
    """Do nothing: for services that form no topology."""


class ServiceUp(Struct, frozen=True):
    """The action of `up` for a service; `changed` names the fields that differed.

    `seconds` is the time from the beginning of the work until the service answered.
    """

    service: str
    name: str
    action: Action
    changed: tuple[str, ...] = ()
    seconds: float = 0.0


class Thing(Struct, frozen=True):
    """Something that belongs to the project and can be removed."""

    kind: Kind
    name: str


class Astray(Struct, frozen=True):
    """A container whose data is not where the service would look for it.

    `where` describes the place in words; `volume` is the volume with the data, if it is in one;
    `folder` the folder of this machine, if it is in one.
    """

    name: str
    where: str
    volume: str | None
    folder: str | None


class ServiceStatus(Struct, frozen=True):
    """The status of a service, as its engine reports it.

    `state` is Docker's (running, exited, restarting …) or `absent`; `health` is healthy, unhealthy,
    starting or null. `ports` are like `127.0.0.1:6379->6379/tcp`, `uptime` is in seconds.
    """

    service: str
    name: str
    state: str
    health: str | None
    ports: tuple[str, ...]
    uptime: float | None

    @property
    def port(self) -> int | None:
        """The port of this machine that leads to it, or None; the settings may have changed."""
        if not self.ports:
            return None
        return int(self.ports[0].partition("->")[0].rpartition(":")[2])


class LogLine(Struct, frozen=True):
    """One unchanged line of a service's log."""

    service: str
    time: datetime | None
    text: str


class LogQuery(Struct, frozen=True):
    """The lines to read: the last `tail` (None: all), from `since` on, with `follow` new ones."""

    tail: int | None = None
    since: datetime | None = None
    follow: bool = False


class ClientCommand(Struct, frozen=True):
    """A program to run in the foreground, and the variables to add to its environment."""

    arguments: tuple[str, ...]
    environment: dict[str, str]


@dataclass(frozen=True)
class Plan:
    """The services that `up` has to start, and the probes that tell when they are ready.

    `timeout` is in seconds, from when all images are there.
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
        """The engine's name for users."""

    def prepare(self, plan: Plan) -> None:
        """Get the images that `up` needs, and check that nothing is in its way.

        Ports and names that this project holds itself count as free: they are about to be released.
        Raises Conflict for a port or name that is taken, OperationFailed for an image that could
        not be pulled.
        """

    def up(self, plan: Plan) -> tuple[ServiceUp, ...]:
        """Create or update the services, start them, and wait until they answer.

        A failed or interrupted call removes what it has created, and nothing else. Raises Conflict
        for a port or name that is taken, TimedOut, OperationFailed.
        """

    def stop(self, emit: Emit) -> tuple[str, ...]:
        """Shut down all running services, keep their data, and return their names."""

    def end(self, emit: Emit) -> None:
        """Finish an interrupted shutdown, so that no service that is ending counts as running.

        A service that would lose data is left alone.
        """

    def kill(self, service: str, emit: Emit) -> None:
        """Kill a service, as a crash would; `up` starts it again.

        A file that was switched off is written before. Raises Conflict if it can't be.
        """

    def astray(self) -> tuple[Astray, ...]:
        """Return the containers that may hold keys which `up` would have to take over first."""

    def belongings(self, *, volumes: bool) -> tuple[Thing, ...]:
        """Return what `down` would remove."""

    def check_deletable(self) -> None:
        """Raise Conflict if the data is in use by others, so that it can't be deleted."""

    def down(self, *, volumes: bool, emit: Emit) -> tuple[Thing, ...]:
        """Stop and remove everything of this project, with `volumes` also its data.

        Raises Conflict if data had to be kept.
        """

    def status(self) -> tuple[ServiceStatus, ...]:
        """Return the status of every service that exists, and always that of the first."""

    def without_data(self) -> frozenset[str]:
        """Return the services that keep data, and have none."""

    def files_in_use(self) -> frozenset[Path]:
        """Return the directories of the files that existing services mount or read."""

    def obstacle(self) -> Conflict | None:
        """Return what would keep `up` from starting a server that does not run."""

    def misplaced(self) -> Conflict | None:
        """Return the conflict if the folder of a running server was moved away.

        Its next start would not find its data, so that it is not to be ended.
        """

    def logs(self, services: Collection[str], query: LogQuery) -> Iterator[LogLine]:
        """Return log lines of these services, or of all if none is named."""

    def client(self, arguments: Sequence[str], *, terminal: bool) -> ClientCommand:
        """Return the command line of a redis-cli that is logged in to this project's Redis."""
