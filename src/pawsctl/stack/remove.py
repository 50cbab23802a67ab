"""What removes containers, networks or data of the stack: `down` and `reset`."""

from collections.abc import Callable
from contextlib import ExitStack

from msgspec import Struct

from pawsctl.config.settings import StackSettings
from pawsctl.stack import delete_data, ending_servers, losses, unfinished_reset
from pawsctl.stack.engine.choose import engine_of
from pawsctl.stack.engine.protocol import Engine, ServiceUp, Thing
from pawsctl.stack.events import Emit, EngineName, WritersGoOn
from pawsctl.stack.lifecycle import DEFAULT_TIMEOUT
from pawsctl.stack.plan import (
    carry_out,
    exclusively,
    explained_if_interrupted,
    main_services,
    plan_for,
)
from pawsctl.stack.project import layout, mounted_files, project
from pawsctl.stack.project.layout import Topology
from pawsctl.stack.project.project import Project
from pawsctl.stack.with_mounted_files import with_files


class Down(Struct, frozen=True):
    """What was removed, or with `dry_run` would be."""

    engine: EngineName
    removed: tuple[Thing, ...]
    dry_run: bool


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
    """Stop and remove what is this project's; its data stays, but with `volumes`.

    `confirm` is asked before data is deleted, and raises NotConfirmed. Raises NoEngine, TimedOut.
    """
    here = project.load(settings, topology)
    engine = engine_of(here, emit)
    if not volumes:
        losses.check(here, engine)
    if dry_run:
        return Down(engine.name, engine.belongings(volumes=volumes), dry_run=True)
    if not here.directory.exists() and not engine.belongings(volumes=True):
        return Down(engine.name, (), dry_run=False)
    if volumes:
        confirm(losses.question(here, engine))
    with exclusively(settings, topology, DEFAULT_TIMEOUT, emit):
        if not volumes:
            losses.check(here, engine)
        with ending_servers.noted(here.directory):
            removed = engine.down(volumes=volumes, emit=emit)
        if volumes:
            unfinished_reset.forget(here.directory)
        mounted_files.forget_all_but(None, here.directory)
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
    """Delete the data, and start again what existed.

    `confirm` is asked before, and raises NotConfirmed. Nothing is deleted where it could not start
    again, as far as that can be known. Where there is data, `save` is called before it is deleted,
    and nobody writes meanwhile; a server that can't see to that is told before `confirm`. One that
    was interrupted goes on. Raises what `up` and `save` raise, and Interrupted.
    """
    here = project.load(settings, topology)
    engine = engine_of(here, emit)
    free = delete_data.refusal(here, engine) if save else ""
    if free:
        emit(WritersGoOn(free))
    confirm(losses.question(here, engine, is_saved=save is not None))

    def work(here: Project, engine: Engine) -> Reset:
        plan = plan_for(
            here, engine, main_services(here), timeout=timeout, pull="missing", emit=emit
        )
        engine.prepare(plan)
        with ExitStack() as held:
            copy = delete_data.saved(here, engine, plan, save, held, holds=not free, emit=emit)
            with explained_if_interrupted("what was deleted stays deleted", topology, way_on="up"):
                with ending_servers.noted(here.directory):
                    removed = engine.down(volumes=True, emit=emit)
                # What the new servers hold is none of it.
                unfinished_reset.note(here.directory, copy, ())
                held.close()
                done = carry_out(plan, here, engine)
        unfinished_reset.forget(here.directory)
        return Reset(engine.name, layout.url(topology, here.stack), removed, done, copy)

    with exclusively(settings, topology, timeout, emit):
        # The engine that was asked about, with the files that are to be mounted.
        return with_files(settings, topology, work, emit=lambda _event: None)
