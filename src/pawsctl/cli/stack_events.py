"""What happens to the stack, told on stderr while it happens."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pawsctl.cli.output import Output
from pawsctl.stack.engine import (
    Created,
    Emit,
    EngineChosen,
    Event,
    Kept,
    LayerProgress,
    Pulled,
    Pulling,
    Ready,
    Recreating,
    Removed,
    Started,
    Stopped,
    Waiting,
)

# Docker's words for a layer that has no more to fetch.
_FETCHED = ("Download complete", "Pull complete", "Already exists")


@contextmanager
def told(output: Output) -> Iterator[Emit]:
    """What an operation is given to tell its events to."""
    with output.bars() as move:

        def emit(event: Event) -> None:
            if isinstance(event, LayerProgress):
                _draw(event, move)
            elif isinstance(event, Pulling) and output.is_live:
                # Its layers' bars say so; the line comes when they are gone.
                output.detail(f"Pulling {event.image}")
            elif isinstance(event, Pulled) and output.is_live:
                output.note(f"Pulled {event.image}")
            elif sentence := _worth_a_line(event):
                output.note(sentence)
            else:
                output.detail(_sentence(event))

        yield emit


def _draw(event: LayerProgress, move: Callable[[str, str, int, int], None]) -> None:
    done, total = event.current, event.total
    if event.status.startswith(_FETCHED):
        # Docker tells no size any more.
        done, total = 1, 1
    move(event.layer, f"{event.layer} {event.status}", done, total)


def _worth_a_line(event: Event) -> str:
    """What everybody should see, or an empty string."""
    text = ""
    match event:
        case EngineChosen(engine, reason, is_fallback) if is_fallback:
            text = f"Using the {engine} server: {reason}"
        case Waiting(what):
            text = f"Waiting until {what}."
        case Pulling(image):
            text = f"Pulling {image}"
        case Recreating(service, _, changed):
            text = f"Recreating {service}, its data kept, for changed: {', '.join(changed)}"
        case Kept(kind, name, reason):
            text = f"Kept {kind} {name}: {reason}."
    return text


def _sentence(event: Event) -> str:
    """What --verbose shows of the others."""
    text = str(event)
    match event:
        case EngineChosen(engine, reason):
            text = f"Engine: {engine}, for {reason}."
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
        case Pulled(image):
            text = f"Pulled {image}"
    return text
