"""The events that operations on the stack emit while they work."""

from collections.abc import Callable
from typing import Literal

from msgspec import Struct

EngineName = Literal["docker", "embedded"]


Kind = Literal["container", "network", "volume", "process", "data"]


class Event(Struct, frozen=True):
    """Something that happened, or is about to."""


class EngineChosen(Event, frozen=True):
    """`engine` will do the work, for `reason`; `is_fallback` if the other was tried first."""

    engine: EngineName
    reason: str
    is_fallback: bool = False


class HeldElsewhere(Event, frozen=True):
    """The engine not in use, `engine`, holds data of this project in `places`; it is not shown."""

    engine: EngineName
    places: tuple[str, ...]


class Changing(Event, frozen=True):
    """All that can be checked before is checked: from here on, something may be changed."""


class Waiting(Event, frozen=True):
    """Work waits until `what`."""

    what: str


class Pulling(Event, frozen=True):
    """An image is about to be downloaded."""

    image: str


class LayerProgress(Event, frozen=True):
    """Progress of an image's layer: `status` is Docker's; sizes in bytes, 0 if not yet known."""

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
    """A service is replaced, its data kept, since the fields in `changed` differ.

    `is_seen` says that the server told that all its data is on disk, or that, where it does not
    run, its files were looked for and found.
    """

    service: str
    name: str
    changed: tuple[str, ...]
    is_seen: bool = True


class Unseen(Event, frozen=True):
    """A server that is about to end does not tell whether all its data is on disk."""

    name: str
    reason: str


class TakingOver(Event, frozen=True):
    """A service's data is about to be taken over; `where` says in words where it lies."""

    service: str
    where: str


class TakenOver(Event, frozen=True):
    """The data was taken over: this many `keys` in this many `databases`."""

    service: str
    keys: int
    databases: int


class Shrinking(Event, frozen=True):
    """A service that uses `used` bytes is about to get a memory limit of only `limit`."""

    service: str
    used: int
    limit: int


class Ends(Event, frozen=True):
    """From here on something is stopped or removed, which an interruption does not bring back."""


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
    """`sessions` sessions were copied to the file at `path`; `way_back` is how to restore them."""

    sessions: int
    path: str
    way_back: str


class LeftOut(Event, frozen=True):
    """`keys` keys of a `type` under `prefix` were not copied, since they are no sessions."""

    keys: int
    type: str
    prefix: str


class OthersLost(Event, frozen=True):
    """`keys` keys that are no sessions are about to be deleted, and no copy has them."""

    keys: int


class GoingOn(Event, frozen=True):
    """An interrupted reset continues; `copy` is where it has put the sessions."""

    copy: str | None


class WritersGoOn(Event, frozen=True):
    """Writers can't be paused while data is copied and deleted, for the reason given."""

    reason: str


class Ready(Event, frozen=True):
    """A service answers."""

    service: str
    name: str


class NotRead(Event, frozen=True):
    """A new Redis does not read these `volumes` of the project, which may hold the former one's."""

    volumes: tuple[str, ...]


class DataGone(Event, frozen=True):
    """The data of these `services` is gone, and other nodes of their topology have theirs."""

    services: tuple[str, ...]


class AllUp(Event, frozen=True):
    """All services answer, and nothing is undone any more."""


Emit = Callable[[Event], None]
