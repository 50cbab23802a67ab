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
        does, again = "shows how it is" if command == "status" else "starts it", ""
        if Ends in reached and AllUp not in reached:
            with uninterrupted(is_done=True):
                running, data = _left(used, topology)
            if running:
                verb = "run" if " and " in running else "runs"
                message += f" {running} still {verb}, or may be about to end."
            if change != "stopped" and data is not None:
                message += f" {_told_of(data, volumes=volumes)}"
            if data and volumes:
                does, again = "starts it with that", " The same command again deletes it, too."
        command += layout.option(topology)
        raise Interrupted(message, hint=f"'pawsctl redis {command}' {does}.{again}") from error


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


def _left(settings: StackSettings, topology: Topology) -> tuple[str, str | None]:
    """Return the services that still run, and what data there is; None if that is not told."""
    try:
        engine = engine_of(project.load(settings, topology), lambda _event: None)
        running = [each.name for each in engine.status() if each.state == "running"]
        return " and ".join(running), " and ".join(losses.data(engine))
    except (PawsctlError, KeyboardInterrupt):
        # The message then has only what the events said.
        return "", None


def _told_of(data: str, *, volumes: bool) -> str:
    """Return a sentence on the data that is left."""
    if volumes:
        return f"Not deleted: {data}." if data else "The data is deleted."
    return "The data is kept." if data else "There is no data."
