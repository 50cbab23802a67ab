"""Check this project's containers or processes: restart loops, drift, data elsewhere."""

from collections.abc import Iterator, Sequence

from pawsctl.errors import OperationFailed, PawsctlError
from pawsctl.plurals import plural
from pawsctl.stack.engine.docker import inspect_project
from pawsctl.stack.engine.docker.docker_engine import DockerEngine
from pawsctl.stack.engine.docker.inspect_project import Condition
from pawsctl.stack.engine.embedded.embedded_engine import EmbeddedEngine
from pawsctl.stack.engine.protocol import Engine, ServiceStatus
from pawsctl.stack.events import EngineName
from pawsctl.stack.project import mounted_files, project
from pawsctl.stack.project.project import Project
from pawsctl.stack.topology import as_it_runs
from pawsctl.stack.topology_status import TopologyMember
from pawsctl.workflows.doctor.finding import Finding, State, failed


def examine(
    here: Project,
    engine: EngineName,
    services: Sequence[ServiceStatus | TopologyMember],
    *,
    is_needed: bool,
) -> Iterator[Finding]:
    """Yield what is wrong with the containers; a broken one is a failure only if `is_needed`."""
    try:
        wanted = mounted_files.existing(here.settings, here.directory)
        described = project.load(here.settings, here.topology, files_at=wanted)
        if engine == "docker":
            yield from _on_docker(described, is_needed=is_needed, are_rendered=wanted is not None)
        else:
            yield from _embedded(
                described, services, is_needed=is_needed, are_rendered=wanted is not None
            )
    except PawsctlError as error:
        yield failed("containers", error)


def _on_docker(here: Project, *, is_needed: bool, are_rendered: bool) -> Iterator[Finding]:
    api, _ = inspect_project.connect()
    broken: State = "failed" if is_needed else "warning"
    # Broken containers come last: the findings before may explain them.
    conditions = sorted(
        inspect_project.conditions(api, here.stack), key=lambda each: each.is_broken
    )
    engine, up = DockerEngine(api, here), f"'pawsctl redis up{here.hint}'"
    for each in engine.astray():
        hint = f"{up} takes it over, every key; no other command touches it."
        yield Finding("data place", "warning", f"the data of {each.name} lies {each.where}", hint)
    for condition in conditions:
        if changed := _names_of_changes(condition.changed, are_rendered=are_rendered):
            detail = f"{condition.name} was made with other settings: {changed}"
            yield Finding("drift", "warning", detail, _renewal(here, engine))
    for condition in conditions:
        if told := _trouble_of(condition):
            # Between two restarts Docker reports it as running.
            state = broken if condition.is_broken or condition.restarts else "warning"
            hint = f"See 'pawsctl redis logs{here.hint}'; {up} starts it again, or says why not."
            if condition.state == "paused":
                hint = f"docker unpause {condition.name}"
            yield Finding("container", state, "\n".join([told, *condition.tail]), hint)


def _renewal(here: Project, engine: Engine) -> str:
    """Return what applies changed settings: `up`, if nothing is in its way."""
    try:
        as_it_runs.check_ports(here, engine.status())
    except OperationFailed as error:
        return error.hint
    if obstacle := engine.obstacle():
        return f"It can't be made anew. {obstacle.message} {obstacle.hint}"
    return f"'pawsctl redis up{here.hint}' makes it anew, its data kept."


def _names_of_changes(changed: Sequence[str], *, are_rendered: bool) -> str:
    """Return the names of changed settings; without rendered files also the password."""
    return ", ".join(dict.fromkeys([*changed, *([] if are_rendered else ["password"])]))


def _trouble_of(condition: Condition) -> str:
    """Return what is wrong with a container, or ''."""
    times = f"was started again {plural(condition.restarts, 'time')}" if condition.restarts else ""
    if condition.is_out_of_memory:
        return f"{condition.name} was killed for want of memory; REDIS_MAXMEMORY gives it more"
    if condition.state == "restarting":
        return (
            f"{condition.name} restarts again and again, {times or 'at once'}: exit status "
            + str(condition.exit_code)
        )
    if condition.state == "paused":
        return f"{condition.name} is paused"
    if condition.is_broken:
        return f"{condition.name} has ended with exit status {condition.exit_code}"
    if condition.health == "unhealthy":
        return f"{condition.name} is unhealthy"
    return f"{condition.name} runs, and {times}" if times else ""


def _embedded(
    here: Project,
    services: Sequence[ServiceStatus | TopologyMember],
    *,
    is_needed: bool,
    are_rendered: bool,
) -> Iterator[Finding]:
    engine = EmbeddedEngine(here)
    for name, differing in engine.drift().items():
        changed = _names_of_changes(differing, are_rendered=are_rendered)
        if not changed:
            continue
        detail = f"{name} was started with other settings: {changed}"
        yield Finding("drift", "warning", detail, _renewal(here, engine))
    for service in services:
        if service.state == "exited" and (tail := engine.last_words(service.service)):
            detail = "\n".join([f"{service.name} has ended", *tail])
            hint = f"'pawsctl redis start{here.hint}' starts it, or says why it can't."
            yield Finding("process", "failed" if is_needed else "warning", detail, hint)
