"""The stack's events as lines and progress bars on stderr."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pawsctl.cli.output.stdout import Output
from pawsctl.cli.output.units import size
from pawsctl.plurals import plural
from pawsctl.stack.events import (
    AllUp,
    Changing,
    Copied,
    Created,
    DataGone,
    Emit,
    EngineChosen,
    Event,
    GoingOn,
    HeldElsewhere,
    Kept,
    LayerProgress,
    LeftOut,
    NotRead,
    OthersLost,
    Pulled,
    Pulling,
    Ready,
    Recreating,
    Removed,
    Shrinking,
    Started,
    Stopped,
    TakenOver,
    TakingOver,
    Unseen,
    Waiting,
    WritersGoOn,
)

Move = Callable[[str, str, int, int], None]


@contextmanager
def events_shown(output: Output, begun: Callable[[], None] = lambda: None) -> Iterator[Emit]:
    """Yield a function that an operation calls with its events; they are shown on stderr.

    `begun` is called before the operation changes anything, and may raise.
    """
    with output.bars() as move:
        layers = _Layers(move)

        def emit(event: Event) -> None:
            if isinstance(event, Changing):
                begun()
            elif isinstance(event, LayerProgress):
                layers.draw(event)
            elif isinstance(event, Pulling) and output.is_live:
                # The bars of its layers show this; a line follows when they are gone.
                output.detail(f"Pulling {event.image}")
            elif isinstance(event, Pulled) and output.is_live:
                output.note(f"Pulled {event.image}")
            elif isinstance(event, Copied):
                output.note(f"Exported {plural(event.sessions, 'session')} to {event.path}")
                output.note(f"This puts them back: {event.way_back}")
            elif sentence := _worth_a_line(event):
                for line in sentence.split("\n"):
                    output.note(line)
            else:
                output.detail(_sentence(event))

        yield emit


class _Layers:
    """A progress bar per layer. Sizes are kept: Docker reports them only during the download."""

    def __init__(self, move: Move) -> None:
        self._move = move
        self._sizes: dict[str, int] = {}

    def draw(self, event: LayerProgress) -> None:
        if event.status == "Already exists":
            return
        size = self._sizes[event.layer] = event.total or self._sizes.get(event.layer, 0)
        is_there = event.status.endswith("complete")
        done = size if is_there else event.current
        self._move(event.layer, f"{event.layer} {event.status}", done, size)


def _worth_a_line(event: Event) -> str:
    """Return the line of an event that is always shown, or ''."""
    text = _warning(event)
    match event:
        case EngineChosen(engine, reason, is_fallback) if is_fallback:
            text = f"Using the {engine} server: {reason}"
        case Waiting(what):
            text = f"Waiting until {what}."
        case Pulling(image):
            text = f"Pulling {image}"
        case Recreating(service, _, changed, is_seen):
            kept = "its data" if is_seen else "what it has on disk"
            text = f"Recreating {service}, changed: {', '.join(changed)}; {kept} is kept."
        case TakingOver(service, where):
            text = f"The data of {service} lies {where}; it is taken over."
        case TakenOver(service, keys, databases):
            text = f"Took over {plural(keys, 'key')} of {plural(databases, 'database')}."
        case LeftOut(keys, kind, prefix):
            text = (
                "Not exported, since it is no session: "
                f"{plural(keys, 'key')} of type {kind} under {prefix}"
            )
        case OthersLost(keys):
            text = f"Not exported, and deleted with the rest: {plural(keys, 'key')} of other names."
        case GoingOn(copy):
            text = "Going on with a reset that was interrupted" + (
                f"; the sessions that it exported are in {copy}" if copy else "."
            )
        case Kept(kind, name, reason):
            text = f"Kept {kind} {name}: {reason}."
    return text


def _warning(event: Event) -> str:
    """Return the line of an event that may need action, or ''."""
    text = ""
    match event:
        case HeldElsewhere(engine, places):
            name = "Docker" if engine == "docker" else "the embedded server"
            text = (
                f"Warning: {name} holds data of this project, too ({', '.join(places)}). It is "
                f"neither shown nor touched here; PAWSCTL_ENGINE={engine} goes on with it."
            )
        case Shrinking(service, used, limit):
            text = (
                f"Warning: {service} uses {size(used)}, and its new limit is {size(limit)}: "
                "Redis evicts keys, or refuses writes, until the rest fits."
            )
        case DataGone(services):
            text = (
                f"Warning: the data of {' and '.join(services)} is gone. The other nodes start "
                "first and take over, so that none of them copies that."
            )
        case NotRead(volumes):
            text = (
                f"Warning: the new Redis is empty, and does not read {' and '.join(volumes)}. If "
                "that is the data of a former one of this project: 'pawsctl redis down', start the "
                "former one with its own compose file, and 'pawsctl redis up' takes it over."
            )
        case Unseen(name, reason):
            text = (
                f"Warning: {name} does not tell whether all that it holds is on disk "
                f"({reason.rstrip('.')}): what is not is lost when it ends."
            )
        case WritersGoOn(reason):
            text = (
                "Warning: Redis can't hold writers back meanwhile: what they write between the "
                f"export and the removal is lost ({reason.rstrip('.')})."
            )
    return text


def _sentence(event: Event) -> str:
    """Return the line of any other event, shown with --verbose."""
    text = str(event)
    match event:
        case EngineChosen(engine, reason):
            text = f"Engine: {engine} ({reason})"
        case Created(kind, name):
            text = f"Created {kind} {name}"
        case Started(_, name):
            text = f"Started {name}"
        case Stopped(_, name):
            text = f"Stopped {name}"
        case Removed(kind, name):
            text = f"Removed {kind} {name}"
        case Ready(_, name):
            text = f"{name} answers"
        case AllUp():
            text = "All services answer"
        case Pulled(image):
            text = f"Pulled {image}"
    return text
