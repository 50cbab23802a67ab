"""Start and stop the stack. Each operation picks the engine and returns a frozen result."""

import webbrowser
from collections.abc import Sequence
from functools import partial

from msgspec import Struct
from msgspec.structs import replace

from pawsctl.config.setting_specs import KNOWN_COMMANDER_PASSWORD
from pawsctl.config.settings import StackSettings
from pawsctl.errors import OperationFailed
from pawsctl.stack.engine.choose import engine_of
from pawsctl.stack.engine.protocol import Engine, Pull, ServiceUp
from pawsctl.stack.events import Changing, Emit, EngineName
from pawsctl.stack.plan import (
    carry_out,
    check_in_place,
    exclusively,
    existing_services,
    main_services,
    plan_for,
)
from pawsctl.stack.project import last_port, layout, project
from pawsctl.stack.project.layout import Topology
from pawsctl.stack.project.project import COMMANDER, REDIS, Project
from pawsctl.stack.topology import as_it_runs, lost_data
from pawsctl.stack.unfinished import ending_servers, interruption, reset_note
from pawsctl.stack.with_mounted_files import with_files


class Up(Struct, frozen=True):
    """Redis runs and answers at `url`, which holds no password."""

    engine: EngineName
    url: str
    services: tuple[ServiceUp, ...]


class CommanderLogin(Struct, frozen=True):
    """The address of Redis Commander, and its login.

    `password` is null unless it is the publicly known default.
    """

    url: str
    user: str
    password: str | None


class Dev(Struct, frozen=True):
    """Redis and Redis Commander run, and Redis Commander is connected."""

    engine: EngineName
    url: str
    services: tuple[ServiceUp, ...]
    commander: CommanderLogin


class Stop(Struct, frozen=True):
    """The names of the services that were stopped."""

    engine: EngineName
    stopped: tuple[str, ...]


# Seconds; for operations without a --timeout option.
DEFAULT_TIMEOUT = 60.0


def up(
    settings: StackSettings,
    topology: Topology = "single",
    *,
    timeout: float,
    pull: Pull,
    emit: Emit,
) -> Up:
    """Start Redis, or replace it if the settings have changed, and wait until it answers PING.

    For a topology, also wait until all nodes have found each other and every replica is connected.
    An existing Redis Commander is started, too: it has to know the password. `timeout` is in
    seconds, without pulling images. Raises NoEngine, Conflict, TimedOut, OperationFailed,
    Interrupted.
    """

    def work(here: Project, engine: Engine) -> Up:
        services = _up(here, engine, main_services(here), timeout=timeout, pull=pull, emit=seen)
        return Up(engine.name, layout.url(topology, here.stack), services)

    with (
        interruption.told("changed", settings, topology, emit) as seen,
        exclusively(settings, topology, timeout, seen),
    ):
        return with_files(settings, topology, work, emit=seen)


def dev(
    settings: StackSettings, *, timeout: float, pull: Pull, open_browser: bool, emit: Emit
) -> Dev:
    """Run `up` with Redis Commander, and check that its login works and Redis is connected.

    Raises what `up` raises, and NoEngine if there is no Docker Engine.
    """

    def work(here: Project, engine: Engine) -> Up:
        services = _up(here, engine, [REDIS, COMMANDER], timeout=timeout, pull=pull, emit=seen)
        return Up(engine.name, layout.url("single", here.stack), services)

    with (
        interruption.told("changed", settings, "single", emit) as seen,
        exclusively(settings, "single", timeout, seen),
    ):
        done = with_files(settings, "single", work, emit=seen, docker_only=True)
    url = f"http://127.0.0.1:{settings.commander_port}"
    if open_browser:
        webbrowser.open(url)
    password = settings.commander_password
    is_known = password == KNOWN_COMMANDER_PASSWORD
    login = CommanderLogin(url, settings.commander_user, password if is_known else None)
    return Dev(done.engine, done.url, done.services, login)


def start(
    settings: StackSettings, topology: Topology = "single", *, timeout: float, emit: Emit
) -> Up:
    """Start the services that `stop` has stopped.

    Raises what `up` raises, OperationFailed if nothing exists, Interrupted.
    """
    with (
        interruption.told("started", settings, topology, emit) as seen,
        exclusively(settings, topology, timeout, seen),
    ):
        return _start(settings, topology, timeout=timeout, emit=seen)


def stop(settings: StackSettings, topology: Topology = "single", *, emit: Emit) -> Stop:
    """Shut down the running services; keep containers and data.

    Raises NoEngine, TimedOut, Interrupted.
    """
    with (
        interruption.told("stopped", settings, topology, emit) as seen,
        exclusively(settings, topology, DEFAULT_TIMEOUT, seen),
    ):
        return _stop(settings, topology, emit=seen)


def restart(
    settings: StackSettings, topology: Topology = "single", *, timeout: float, emit: Emit
) -> Up:
    """Run `stop`, then `start`; nothing is stopped if a check shows that it could not start again.

    The action for a service that ran before is "restarted". Raises what they raise.
    """

    def look(here: Project, engine: Engine) -> None:
        _check_created(here, engine)
        check_in_place(engine)
        as_it_runs.check_ports(here, engine.status())
        engine.prepare(plan_for(here, engine, [], timeout=timeout, pull="missing", emit=emit))

    # One lock for all of it: another command can't come between.
    with (
        interruption.told("stopped", settings, topology, emit) as seen,
        exclusively(settings, topology, timeout, seen),
    ):
        with_files(settings, topology, look, emit=seen)
        # If the data lies elsewhere, the start takes it over from the running container.
        here = project.load(settings, topology)
        stopped: tuple[str, ...] = ()
        if not engine_of(here, lambda _event: None).astray():
            stopped = _stop(settings, topology, emit=seen).stopped
        done = _start(settings, topology, timeout=timeout, emit=seen)
    return replace(done, services=tuple(_restarted(each, stopped) for each in done.services))


def _start(settings: StackSettings, topology: Topology, *, timeout: float, emit: Emit) -> Up:
    def work(here: Project, engine: Engine) -> Up:
        _check_created(here, engine)
        services = _up(here, engine, [], timeout=timeout, pull="missing", emit=emit)
        return Up(engine.name, layout.url(topology, here.stack), services)

    return with_files(settings, topology, work, emit=emit)


def _check_created(here: Project, engine: Engine) -> None:
    """Raise OperationFailed if a server does not exist: without it, the others are of no use."""
    existing = existing_services(engine)
    missing = [each for each in main_services(here) if each not in existing]
    if missing:
        known = f"{' and '.join(missing)} must be created first. Nothing was changed."
        raise OperationFailed(
            known if existing else "There is nothing to start.",
            hint=f"Create it with 'pawsctl redis up{here.hint}'.",
        )


def _stop(settings: StackSettings, topology: Topology, *, emit: Emit) -> Stop:
    here = project.load(settings, topology)
    engine = engine_of(here, emit)
    check_in_place(engine)
    emit(Changing())
    with ending_servers.noted(here.directory):
        return Stop(engine.name, engine.stop(emit))


def _restarted(service: ServiceUp, stopped: Sequence[str]) -> ServiceUp:
    ran = service.name in stopped and service.action == "started"
    return replace(service, action="restarted") if ran else service


def _up(
    here: Project,
    engine: Engine,
    services: Sequence[str],
    *,
    timeout: float,
    pull: Pull,
    emit: Emit,
) -> tuple[ServiceUp, ...]:
    """Bring up these services, and any others that exist."""
    check_in_place(engine)
    as_it_runs.check_ports(here, engine.status())
    plan = plan_for(here, engine, services, timeout=timeout, pull=pull, emit=emit)
    emit(Changing())
    reset_note.forget(here.directory)
    ending_servers.finish(here.directory, partial(engine.end, emit))
    with as_it_runs.told_if_undone(here, engine):
        first = lost_data.bring_up_holders(plan, here, engine)
        done = lost_data.merged(carry_out(plan, here, engine), first)
    if here.topology == "single":
        last_port.note(here.directory, here.settings.redis_port)
    return done
