"""Remove containers, networks or data of the stack: `down` and `reset`."""

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

from msgspec import Struct

from pawsctl.config.settings import StackSettings
from pawsctl.stack import delete_data, losses
from pawsctl.stack.engine.choose import engine_of
from pawsctl.stack.engine.protocol import Engine, ServiceUp, Thing
from pawsctl.stack.events import Changing, Emit, EngineName, WritersGoOn
from pawsctl.stack.lifecycle import DEFAULT_TIMEOUT
from pawsctl.stack.plan import (
    carry_out,
    check_in_place,
    exclusively,
    main_services,
    plan_for,
)
from pawsctl.stack.project import last_port, layout, mounted_files, project
from pawsctl.stack.project.layout import Topology
from pawsctl.stack.project.project import Project
from pawsctl.stack.unfinished import ending_servers, interruption, reset_note
from pawsctl.stack.with_mounted_files import with_files


class Down(Struct, frozen=True):
    """The things that were removed, or with `dry_run` would be."""

    engine: EngineName
    removed: tuple[Thing, ...]
    dry_run: bool


class Reset(Struct, frozen=True):
    """The data is gone, and an empty Redis answers at `url`.

    `backup` is the file with the sessions, or the folder with a file for each database if several
    had sessions; None if there were none, or no copy was wanted.
    """

    engine: EngineName
    url: str
    removed: tuple[Thing, ...]
    services: tuple[ServiceUp, ...]
    backup: str | None


Confirm = Callable[[str], None]


def down(
    settings: StackSettings,
    topology: Topology = "single",
    *,
    volumes: bool,
    dry_run: bool,
    confirm: Confirm,
    emit: Emit,
) -> Down:
    """Stop and remove everything of this project; its data only with `volumes`.

    `confirm` is called before data is deleted, and may raise NotConfirmed. Raises NoEngine,
    TimedOut, and Conflict if data would be lost, or can't be deleted.
    """
    with interruption.told("removed", settings, topology, emit, volumes=volumes) as seen:
        here = project.load(settings, topology)
        engine = engine_of(here, seen)
        check_in_place(engine)
        check = engine.check_deletable if volumes else partial(losses.check, here, engine)
        check()
        if dry_run:
            return Down(engine.name, engine.belongings(volumes=volumes), dry_run=True)
        if not here.directory.exists() and not engine.belongings(volumes=True):
            return Down(engine.name, (), dry_run=False)
        if volumes:
            confirm(losses.question(here, engine))
        with exclusively(settings, topology, DEFAULT_TIMEOUT, seen):
            check()
            seen(Changing())
            with ending_servers.noted(here.directory):
                removed = engine.down(volumes=volumes, emit=seen)
            if volumes:
                reset_note.forget(here.directory)
            mounted_files.forget_all_but(None, here.directory)
            last_port.forget(here.directory)
        return Down(engine.name, removed, dry_run=False)


def reset(
    settings: StackSettings,
    topology: Topology = "single",
    *,
    timeout: float,
    confirm: Confirm,
    save: delete_data.Save | None,
    emit: Emit,
) -> Reset:
    """Delete the data, and start the existing services again.

    `confirm` is called first, and may raise NotConfirmed. Nothing is deleted if a check shows that
    the services could not start again. If there is data, `save` is called before it is deleted, and
    writers are paused meanwhile; if a server can't pause them, a warning is emitted before
    `confirm`. An interrupted reset is continued. Raises what `up` and `save` raise, and
    Interrupted.
    """

    def work(here: Project, engine: Engine) -> Reset:
        plan = plan_for(
            here, engine, main_services(here), timeout=timeout, pull="missing", emit=seen
        )
        engine.prepare(plan)
        engine.check_deletable()
        with ExitStack() as held:
            copy = delete_data.saved(here, engine, plan, save, held, holds=not free, emit=emit)
            with ending_servers.noted(here.directory):
                removed = engine.down(volumes=True, emit=seen)
            # The data of the new servers is not part of it.
            reset_note.note(here.directory, copy, ())
            held.close()
            done = carry_out(plan, here, engine)
        reset_note.forget(here.directory)
        return Reset(engine.name, layout.url(topology, here.stack), removed, done, copy)

    with interruption.told("deleted", settings, topology, emit, volumes=True) as seen:
        here = project.load(settings, topology)
        engine = engine_of(here, seen)
        check_in_place(engine)
        engine.check_deletable()
        free = delete_data.refusal(here, engine) if save else ""
        if free:
            emit(WritersGoOn(free))
        confirm(losses.question(here, engine, is_saved=save is not None))
        with exclusively(settings, topology, timeout, seen):
            # The engine is the one that was confirmed, so its choice is not reported again.
            return with_files(settings, topology, work, emit=lambda _event: None)
