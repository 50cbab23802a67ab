"""What the operations on the stack give back. Scripts rely on the names of the fields."""

from msgspec import Struct

from pawsctl.stack.engine import EngineName, ServiceStatus, ServiceUp, Thing


class Up(Struct, frozen=True):
    """Redis runs and answers at `url`, which holds no password."""

    engine: EngineName
    url: str
    services: tuple[ServiceUp, ...]


class Login(Struct, frozen=True):
    """Where Redis Commander is, and as whom to sign in.

    `password` is null where it is not the one everybody knows.
    """

    url: str
    user: str
    password: str | None


class Dev(Struct, frozen=True):
    """Redis and Redis Commander run, and Redis Commander is connected."""

    engine: EngineName
    url: str
    services: tuple[ServiceUp, ...]
    commander: Login


class Down(Struct, frozen=True):
    """What was removed, or with `dry_run` would be."""

    engine: EngineName
    removed: tuple[Thing, ...]
    dry_run: bool


class Stop(Struct, frozen=True):
    """The names of what was stopped."""

    engine: EngineName
    stopped: tuple[str, ...]


class Reset(Struct, frozen=True):
    """The data is gone, and an empty Redis answers at `url`.

    `backup` is the file that keeps the sessions, or the folder with a file for each database where
    several held some; None where none did, or no copy was wanted.
    """

    engine: EngineName
    url: str
    removed: tuple[Thing, ...]
    services: tuple[ServiceUp, ...]
    backup: str | None


class Memory(Struct, frozen=True):
    """Bytes, as INFO tells them; `maximum` 0 is no limit."""

    used: int
    peak: int
    maximum: int


class Keys(Struct, frozen=True):
    """How many keys all databases hold, and how many of them expire."""

    total: int
    expiring: int


class StackStatus(Struct, frozen=True):
    """What runs.

    `memory` and `keys` are null where Redis does not answer; `problem` then says why, and what to
    do.
    """

    engine: EngineName
    url: str
    services: tuple[ServiceStatus, ...]
    memory: Memory | None
    keys: Keys | None
    problem: str | None

    @property
    def is_running(self) -> bool:
        """Whether Redis runs and answers."""
        return self.memory is not None
