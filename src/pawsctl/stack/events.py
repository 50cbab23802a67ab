"""What an engine tells while it works."""

from collections.abc import Callable
from typing import Literal

from msgspec import Struct

EngineName = Literal["docker", "embedded"]


Kind = Literal["container", "network", "volume", "process", "data"]


class Event(Struct, frozen=True):
    """Something that happened, or begins to."""


class EngineChosen(Event, frozen=True):
    """`engine` will do the work, for `reason`; `is_fallback` where the other was tried first."""

    engine: EngineName
    reason: str
    is_fallback: bool = False


class HeldElsewhere(Event, frozen=True):
    """The other engine, `engine`, holds data of this project in `places`, which is not shown."""

    engine: EngineName
    places: tuple[str, ...]


class Waiting(Event, frozen=True):
    """Work stands still until `what`."""

    what: str


class Pulling(Event, frozen=True):
    """An image is about to be downloaded."""

    image: str


class LayerProgress(Event, frozen=True):
    """One layer of an image: `status` in Docker's words; bytes, 0 where not yet known."""

    image: str
    layer: str
    status: str
    current: int
    total: int


class Pulled(Event, frozen=True):
    """An image is complete."""

    image: str


class Created(Event, frozen=True):
    """A network, a volume, a container or a process was made."""

    kind: Kind
    name: str


class Started(Event, frozen=True):
    """A service that existed runs again."""

    service: str
    name: str


class Recreating(Event, frozen=True):
    """A service is replaced, its data kept, since the fields in `changed` differ."""

    service: str
    name: str
    changed: tuple[str, ...]


class TakingOver(Event, frozen=True):
    """The data of a service lies at `where`, in words, and is about to be taken over."""

    service: str
    where: str


class TakenOver(Event, frozen=True):
    """All `keys` of that many `databases` are where the service finds them from now on."""

    service: str
    keys: int
    databases: int


class Shrinking(Event, frozen=True):
    """A service that uses `used` bytes is about to get a memory limit of only `limit`."""

    service: str
    used: int
    limit: int


class Stopped(Event, frozen=True):
    """A service was shut down; it still exists."""

    service: str
    name: str


class Removed(Event, frozen=True):
    """A network, a volume, a container, a process or its data is gone."""

    kind: Kind
    name: str


class Kept(Event, frozen=True):
    """Something was left where it is, for the reason given."""

    kind: Kind
    name: str
    reason: str


class Copied(Event, frozen=True):
    """That many sessions were copied to the file at `path`; `way_back` is what puts them back."""

    sessions: int
    path: str
    way_back: str


class LeftOut(Event, frozen=True):
    """That many keys of a type under wh:session: were not copied, since they are no sessions."""

    keys: int
    type: str


class GoingOn(Event, frozen=True):
    """A reset that was interrupted goes on; `copy` is where that one has put the sessions."""

    copy: str | None


class WritersGoOn(Event, frozen=True):
    """Nobody can be kept from writing while data is copied and deleted, for the reason given."""

    reason: str


class Ready(Event, frozen=True):
    """A service answers."""

    service: str
    name: str


Emit = Callable[[Event], None]
