"""What changes the stack: each operation picks the engine, and returns a frozen result.

None of them prints; `emit` is told what happens meanwhile.
"""

import time
import webbrowser
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Literal

from pawsctl import sizes
from pawsctl.errors import Interrupted, OperationFailed
from pawsctl.settings import KNOWN_COMMANDER_PASSWORD, StackSettings
from pawsctl.stack import (
    changes,
    emptying,
    ending,
    files,
    forming,
    inspection,
    layout,
    losses,
    project,
    unfinished_reset,
)
from pawsctl.stack.choice import engine_of
from pawsctl.stack.engine import (
    Emit,
    Engine,
    Event,
    Plan,
    Pull,
    Recreating,
    ServiceUp,
    Shrinking,
    WritersGoOn,
)
from pawsctl.stack.layout import Topology
from pawsctl.stack.lock import locked
from pawsctl.stack.project import COMMANDER, REDIS, Project
from pawsctl.stack.rendering import with_files
from pawsctl.stack.results import Dev, Down, Login, Reset, Stop, Up

# Seconds for an operation that has no --timeout of its own.
DEFAULT_TIMEOUT = 60.0

Confirm = Callable[[str], None]


def up(
    settings: StackSettings,
    topology: Topology = "single",
    *,
    timeout: float,
    pull: Pull,
    emit: Emit,
) -> Up:
    """Start Redis, or renew it where the settings changed, and return when it answers PING.

    A topology is then made a whole: all nodes have found each other, every replica is connected. A
    Redis Commander that exists is brought along: it has to know the password. `timeout` is in
    seconds, images not included. Raises NoEngine, Conflict, TimedOut, OperationFailed.
    """

    def work(here: Project, engine: Engine) -> Up:
        services = _up(here, engine, _main(here), timeout=timeout, pull=pull, emit=emit)
        return Up(engine.name, layout.url(topology, here.stack), services)

    with _alone(settings, topology, timeout, emit):
        return with_files(settings, topology, work, emit=emit)


def dev(
    settings: StackSettings, *, timeout: float, pull: Pull, open_browser: bool, emit: Emit
) -> Dev:
    """`up` with Redis Commander, which is asked whether the login works and Redis is connected.

    Raises what `up` raises, and NoEngine where no Docker Engine does the work.
    """

    def work(here: Project, engine: Engine) -> Up:
        services = _up(here, engine, [REDIS, COMMANDER], timeout=timeout, pull=pull, emit=emit)
        return Up(engine.name, layout.url("single", here.stack), services)

    with _alone(settings, "single", timeout, emit):
        done = with_files(settings, "single", work, emit=emit, docker_only=True)
    url = f"http://127.0.0.1:{settings.commander_port}"
    if open_browser:
        webbrowser.open(url)
    password = settings.commander_password
    is_known = password == KNOWN_COMMANDER_PASSWORD
    login = Login(url, settings.commander_user, password if is_known else None)
    return Dev(done.engine, done.url, done.services, login)


def start(
    settings: StackSettings, topology: Topology = "single", *, timeout: float, emit: Emit
) -> Up:
    """Start what `stop` stopped.

    Raises what `up` raises, OperationFailed where nothing exists, Interrupted.
    """

    def work(here: Project, engine: Engine) -> Up:
        if not _existing(engine):
            raise OperationFailed(
                "There is nothing to start.", hint=f"Create it with 'pawsctl redis up{here.hint}'."
            )
        services = _up(here, engine, [], timeout=timeout, pull="missing", emit=emit)
        return Up(engine.name, layout.url(topology, here.stack), services)

    with (
        _told_if_interrupted("what was begun is undone", topology),
        _alone(settings, topology, timeout, emit),
    ):
        return with_files(settings, topology, work, emit=emit)


def stop(settings: StackSettings, topology: Topology = "single", *, emit: Emit) -> Stop:
    """Shut down what runs, and keep it. Raises NoEngine, TimedOut, Interrupted."""
    with (
        _told_if_interrupted("what was stopped stays stopped", topology),
        _alone(settings, topology, DEFAULT_TIMEOUT, emit),
    ):
        here = project.load(settings, topology)
        engine = engine_of(here, emit)
        with ending.noted(here.directory):
            return Stop(engine.name, engine.stop(emit))


def restart(
    settings: StackSettings, topology: Topology = "single", *, timeout: float, emit: Emit
) -> Up:
    """`stop`, then `start`; what could not start again is not stopped, as far as one can know.

    Raises what they raise.
    """

    def look(here: Project, engine: Engine) -> None:
        engine.prepare(_plan(here, engine, [], timeout=timeout, pull="missing", emit=emit))

    with _told_if_interrupted("what was stopped stays stopped", topology):
        with _alone(settings, topology, timeout, emit):
            with_files(settings, topology, look, emit=emit)
        # Where the data lies elsewhere, `start` takes it over from the one that runs.
        here = project.load(settings, topology)
        if not engine_of(here, lambda _event: None).astray():
            stop(settings, topology, emit=emit)
        return start(settings, topology, timeout=timeout, emit=emit)


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
    with _alone(settings, topology, DEFAULT_TIMEOUT, emit):
        if not volumes:
            losses.check(here, engine)
        with ending.noted(here.directory):
            removed = engine.down(volumes=volumes, emit=emit)
        if volumes:
            unfinished_reset.forget(here.directory)
        files.forget_all_but(None, here.directory)
    return Down(engine.name, removed, dry_run=False)


def reset(
    settings: StackSettings,
    topology: Topology = "single",
    *,
    timeout: float,
    confirm: Confirm,
    save: emptying.Save | None,
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
    free = emptying.refusal(here, engine) if save else ""
    if free:
        emit(WritersGoOn(free))
    confirm(losses.question(here, engine, is_saved=save is not None))

    def work(here: Project, engine: Engine) -> Reset:
        plan = _plan(here, engine, _main(here), timeout=timeout, pull="missing", emit=emit)
        engine.prepare(plan)
        with ExitStack() as held:
            copy = emptying.saved(here, engine, plan, save, held, holds=not free, emit=emit)
            with _told_if_interrupted("what was deleted stays deleted", topology, way_on="up"):
                with ending.noted(here.directory):
                    removed = engine.down(volumes=True, emit=emit)
                # What the new servers hold is none of it.
                unfinished_reset.note(here.directory, copy, ())
                held.close()
                done = _carry_out(plan, here, engine)
        unfinished_reset.forget(here.directory)
        return Reset(engine.name, layout.url(topology, here.stack), removed, done, copy)

    with _alone(settings, topology, timeout, emit):
        # The engine that was asked about, with the files that are to be mounted.
        return with_files(settings, topology, work, emit=lambda _event: None)


@contextmanager
def _told_if_interrupted(
    left: str, topology: Topology, *, way_on: Literal["start", "up"] = "start"
) -> Iterator[None]:
    """Ctrl-C as Interrupted, with how it `left` the stack, and the command that goes on."""
    try:
        yield
    except KeyboardInterrupt as error:
        raise Interrupted(
            f"Interrupted: {left}.",
            hint=f"'pawsctl redis {way_on}{layout.option(topology)}' starts it.",
        ) from error


def _alone(
    settings: StackSettings, topology: Topology, timeout: float, emit: Emit
) -> AbstractContextManager[None]:
    """The project's lock. Files are rendered under it: another call removes what it needs not."""
    directory = files.state_directory(settings.project, topology)
    return locked(directory, deadline=time.monotonic() + timeout, emit=emit)


def _up(
    here: Project,
    engine: Engine,
    services: Sequence[str],
    *,
    timeout: float,
    pull: Pull,
    emit: Emit,
) -> tuple[ServiceUp, ...]:
    """Bring up these services, and what exists besides."""
    plan = _plan(here, engine, services, timeout=timeout, pull=pull, emit=emit)
    unfinished_reset.forget(here.directory)
    if ending.is_noted(here.directory):
        engine.end()
        ending.forget(here.directory)
    return _carry_out(plan, here, engine)


def _plan(
    here: Project,
    engine: Engine,
    services: Sequence[str],
    *,
    timeout: float,
    pull: Pull,
    emit: Emit,
) -> Plan:
    wanted = {*services, *_existing(engine)}
    return Plan(
        services=[each.key for each in here.stack.services if each.key in wanted],
        probes=here.probes(),
        timeout=timeout,
        pull=pull,
        emit=_warning(here, engine, emit),
        form=forming.form_of(here, emit, timeout=timeout),
    )


def _carry_out(plan: Plan, here: Project, engine: Engine) -> tuple[ServiceUp, ...]:
    done = engine.up(plan)
    files.forget_all_but(here.redis.files[0].source.parent, here.directory)
    return done


def _warning(here: Project, engine: Engine, emit: Emit) -> Emit:
    """`emit`, told ahead of a memory limit that is below what a server uses by now."""

    def told(event: Event) -> None:
        if isinstance(event, Recreating) and changes.MAXMEMORY in event.changed:
            limit = sizes.in_bytes(here.settings.redis_maxmemory)
            used = inspection.used(here, event.service, engine.status())
            if used > limit > 0:
                emit(Shrinking(event.service, used, limit))
        emit(event)

    return told


def _main(here: Project) -> list[str]:
    """What `up` without more is about: Redis alone, or every server of a topology."""
    return [REDIS] if here.topology == "single" else [each.key for each in here.servers]


def _existing(engine: Engine) -> list[str]:
    return [each.service for each in engine.status() if each.state != "absent"]
