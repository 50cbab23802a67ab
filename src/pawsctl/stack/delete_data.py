"""Data that is deleted when a copy of it was made: nobody writes from before the copy until then.

What was begun is noted down: a reset that was killed goes on where it was.
"""

from collections.abc import Callable
from contextlib import ExitStack

from pawsctl.connection import probe
from pawsctl.errors import OperationFailed
from pawsctl.stack import ending_servers, losses, status, unfinished_reset
from pawsctl.stack.engine.paused_writers import Writers
from pawsctl.stack.engine.protocol import Engine, Plan
from pawsctl.stack.events import Emit, GoingOn
from pawsctl.stack.project import layout
from pawsctl.stack.project.project import Project

# Makes a copy of the sessions in the Redis at a URL (None where none runs), and says where. It
# calls what it is given once Redis has answered: from then on nobody writes, and no script runs.
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
    """Have `save` make a copy of what is about to be deleted, and return where that is.

    Writers wait from then on, until `held` ends; without `holds` they go on. Where a reset that was
    interrupted had begun to delete, its copy is the one. Raises what the engine and `save` raise,
    and OperationFailed if writers are not held back.
    """
    begun = unfinished_reset.noted(here.directory)
    copy = begun.copy if begun else None
    data = losses.data(engine)
    # Nothing ran any more when the first of it was deleted.
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
    unfinished_reset.note(here.directory, copy, data)
    return copy


def refusal(here: Project, engine: Engine) -> str:
    """Why a server would hold no writers back; empty if all would, or do not answer."""
    return next(filter(None, (each.refusal() for each in _writers(here, engine))), "")


class _Hold(ExitStack):
    """Writers to all servers of a project, who may write again after the block."""

    def __init__(self, here: Project, engine: Engine) -> None:
        super().__init__()
        self._writers = _writers(here, engine)

    def begin(self) -> None:
        """Hold them back. Raises OperationFailed."""
        for each in self._writers:
            self.callback(each.release)
            try:
                each.hold()
            except (probe.Refused, OSError) as error:
                raise _not_held(str(error)) from error

    def check(self) -> None:
        """Raise OperationFailed if somebody may have written since."""
        if not all(each.are_held for each in self._writers):
            raise _not_held("the pause ended too early")


def _writers(here: Project, engine: Engine) -> list[Writers]:
    """Those of every server that runs and holds data."""
    services = engine.status()
    servers = [each for each in here.servers if not layout.is_sentinel(each)]
    found = {each: status.port_of(each.key, services) for each in servers}
    return [Writers(port, here.password_of(each)) for each, port in found.items() if port]


def _hold_nobody() -> None:
    """For a server that can't."""


def _have_all_run(here: Project, engine: Engine, plan: Plan) -> None:
    """Start what an interrupted reset has stopped, and what it removed without its data."""
    if ending_servers.is_noted(here.directory):
        engine.end()
    states = {each.service: each.state for each in engine.status()}
    if any(states.get(each) != "running" for each in plan.services):
        engine.up(plan)


def _not_held(reason: str) -> OperationFailed:
    return OperationFailed(
        f"Writers can't be held back while the data is copied: {reason}. Nothing was deleted.",
        hint="Run this again.",
    )
