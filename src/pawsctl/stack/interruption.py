"""Say after Ctrl-C how far an operation on the stack got, and what it has left."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Literal

from msgspec.structs import replace

from pawsctl.config.settings import StackSettings
from pawsctl.errors import Interrupted, PawsctlError
from pawsctl.stack import losses
from pawsctl.stack.engine.choose import engine_of
from pawsctl.stack.engine.rollback import uninterrupted
from pawsctl.stack.events import AllUp, Changing, Emit, Ends, EngineChosen, Event
from pawsctl.stack.project import layout, project
from pawsctl.stack.project.layout import Topology

Change = Literal["changed", "started", "stopped", "removed", "deleted"]


@contextmanager
def told(
    change: Change,
    settings: StackSettings,
    topology: Topology,
    emit: Emit,
    *,
    volumes: bool = False,
) -> Iterator[Emit]:
    """Yield `emit`; turn Ctrl-C into Interrupted, which says how far the operation got.

    The events tell whether it had begun, had ended something that does not come back by itself, or
    had done all. With `volumes` data is deleted.
    """
    reached: set[type[Event]] = set()
    used = settings

    def seen(event: Event) -> None:
        nonlocal used
        if isinstance(event, EngineChosen):
            used = replace(settings, engine=event.engine)
        if isinstance(event, Ends):
            # A reset that goes on where one was interrupted has all run before it deletes.
            reached.discard(AllUp)
        reached.add(type(event))
        if not isinstance(event, Ends):
            emit(event)

    try:
        yield seen
    except KeyboardInterrupt as error:
        message, command = _how_far(change, reached)
        option = layout.option(topology)
        if command == "up" or (command == "start" and change == "stopped"):
            with uninterrupted(is_done=True):
                message = " ".join([message, *_left(used, topology, volumes=volumes)])
        does = "shows how it is" if command == "status" else "starts it"
        raise Interrupted(message, hint=f"'pawsctl redis {command}{option}' {does}.") from error


def _how_far(change: Change, reached: Collection[type[Event]]) -> tuple[str, str]:
    """Return a sentence, and the command that comes next, for the events that were seen."""
    if AllUp in reached and (change != "deleted" or Ends in reached):
        return "Interrupted when all was done: the services are up.", "status"
    if Ends in reached:
        command = "start" if change == "stopped" else "up"
        return f"Interrupted: what was {change} stays {change}.", command
    if Changing in reached and change in ("changed", "started"):
        command = "start" if change == "started" else "status"
        return "Interrupted: what was begun is undone.", command
    return f"Interrupted before anything was {change}.", "status"


def _left(settings: StackSettings, topology: Topology, *, volumes: bool) -> Iterator[str]:
    """Yield sentences on what still runs, and with `volumes` on what data is left."""
    try:
        engine = engine_of(project.load(settings, topology), lambda _event: None)
        running = [each.name for each in engine.status() if each.state == "running"]
        data = losses.data(engine) if volumes else []
    except (PawsctlError, KeyboardInterrupt):
        # Then only what was seen is told.
        return
    if running:
        verb = "runs" if len(running) == 1 else "run"
        yield f"{' and '.join(running)} still {verb}, or may be about to end."
    if volumes:
        yield f"Not deleted: {' and '.join(data)}." if data else "The data is deleted."
