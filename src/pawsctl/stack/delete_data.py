"""Copy the data before it is deleted, and keep writers paused from before the copy until then.

Progress is written to a file, so that a reset that was killed continues where it stopped.
"""

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

from pawsctl.connection import probe
from pawsctl.errors import OperationFailed
from pawsctl.stack import losses, status
from pawsctl.stack.engine.paused_writers import Writers
from pawsctl.stack.engine.protocol import Engine, Plan
from pawsctl.stack.events import Emit, GoingOn
from pawsctl.stack.project import layout
from pawsctl.stack.project.project import Project
from pawsctl.stack.unfinished import ending_servers, reset_note

# Copies the sessions in the Redis at a URL (None if none runs) and returns where the copy is. It
# calls the function it is given once Redis has answered: from then on no client writes and no
# script runs.
Save = Callable[[str | None, Callable[[], None]], str | None]


def saved(
    here: Project,
    engine: Engine,
    plan: Plan,
    save: Save | None,
    held: ExitStack,
    *,
    holds: bool,
    emit: Emit,
) -> str | None:
    """Have `save` copy the data that is about to be deleted, and return where the copy is.

    Writers are paused from then on until `held` ends; without `holds` they are not paused. If an
    interrupted reset had begun to delete, the copy that it made is returned. Raises what the engine
    and `save` raise, and OperationFailed if writers could not be paused.
    """
    begun = reset_note.noted(here.directory)
    copy = begun.copy if begun else None
    data = losses.data(engine)
    # Data was already deleted, so the servers had been stopped and the copy is complete.
    is_saved = begun is not None and not begun.data <= {*data}
    if begun:
        emit(GoingOn(copy))
    if save is not None and data and not is_saved:
        if begun:
            _have_all_run(here, engine, plan)
        hold = held.enter_context(_Hold(here, engine))
        url = status.url(here, engine.status())
        copy = save(url, hold.begin if holds else _hold_nobody) or copy
        if holds:
            hold.check()
    reset_note.note(here.directory, copy, data)
    return copy


def refusal(here: Project, engine: Engine) -> str:
    """Return why a server can't pause its writers; '' if all can, or do not answer."""
    return next(filter(None, (each.refusal() for each in _writers(here, engine))), "")


class _Hold(ExitStack):
    """A block in which writers to all servers of a project can be paused; its end releases them."""

    def __init__(self, here: Project, engine: Engine) -> None:
        super().__init__()
        self._writers = _writers(here, engine)

    def begin(self) -> None:
        """Pause the writers. Raises OperationFailed."""
        for each in self._writers:
            self.callback(each.release)
            try:
                each.hold()
            except (probe.Refused, OSError) as error:
                raise _not_held(str(error)) from error

    def check(self) -> None:
        """Raise OperationFailed if a client may have written since `begin`."""
        if not all(each.are_held for each in self._writers):
            raise _not_held("the pause ended too early")


def _writers(here: Project, engine: Engine) -> list[Writers]:
    """Return the writers of every running server that holds data."""
    services = engine.status()
    servers = [each for each in here.servers if not layout.is_sentinel(each)]
    found = {each: status.port_of(each.key, services) for each in servers}
    return [Writers(port, here.password_of(each)) for each, port in found.items() if port]


def _hold_nobody() -> None:
    """Do nothing: for a server that can't pause its writers."""


def _have_all_run(here: Project, engine: Engine, plan: Plan) -> None:
    """Start the services that an interrupted reset has stopped, or removed without their data."""
    ending_servers.finish(here.directory, partial(engine.end, plan.emit))
    states = {each.service: each.state for each in engine.status()}
    if any(states.get(each) != "running" for each in plan.services):
        engine.up(plan)


def _not_held(reason: str) -> OperationFailed:
    return OperationFailed(
        f"Writers can't be held back while the data is copied: {reason}. Nothing was deleted.",
        hint="Run this again.",
    )
