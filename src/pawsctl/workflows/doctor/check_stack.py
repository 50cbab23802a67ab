"""Check this project's own Redis: its engine, its containers or process, and its port."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from pawsctl.config.redis_url import parse
from pawsctl.config.settings import Settings, StackSettings
from pawsctl.config.target import Target, is_published
from pawsctl.errors import NoEngine, PawsctlError
from pawsctl.stack import cautions, status
from pawsctl.stack.engine.docker import inspect_project
from pawsctl.stack.engine.embedded.embedded_engine import EmbeddedEngine
from pawsctl.stack.events import EngineChosen, Event, HeldElsewhere
from pawsctl.stack.project import project
from pawsctl.stack.project.project import Project
from pawsctl.stack.status import StackStatus
from pawsctl.workflows.doctor import check_containers, check_port, check_topology
from pawsctl.workflows.doctor.finding import Finding, State, failed

# Free bytes on the disk below which Redis will soon be unable to save, and can't save now.
_LITTLE, _NONE = 1 << 30, 32 << 20
# Not 'docker system prune': a stopped container that it removes may hold its Redis's data.
_DOCKERS = (
    "Make room: 'docker system df' shows what Docker takes, 'docker image prune' and 'docker "
    "builder prune' free what no container needs."
)
_OWN = "Make room on that disk: without it, no backup is kept, and nothing is deleted."


def examine(settings: Settings, target: Target, *, answers: bool) -> Iterator[Finding]:
    """Yield findings on the project's own stack.

    That it does not run is a failure only if `target` leads to it and nothing `answers` there.
    """
    try:
        own = settings.stack()
        topology = check_topology.used(target, own)
        here = project.load(own, topology)
        is_ours = topology != "single" or leads_to(target, own.redis_port)
        is_needed = is_ours and not answers
        embedded = EmbeddedEngine(here)
    except PawsctlError as error:
        yield failed("stack", error)
        return
    if own.engine != "embedded" and not (own.engine == "auto" and embedded.in_use):
        for finding in _docker(here, is_needed=is_needed):
            yield finding
            if finding.state == "failed":
                return
    yield from _disk(here.directory, _OWN)
    if topology != "single":
        yield from check_topology.examine(here, is_needed=is_needed)
        yield _password(own)
        return
    for finding in _stack(here, target, answers=answers, is_needed=is_needed):
        yield finding
        if finding.state == "failed":
            return


def leads_to(target: Target, number: int) -> bool:
    """Return whether `target` is a single server at this port of this machine."""
    ports = [address.port for address in target.addresses]
    hosts = [address.host for address in target.addresses]
    is_here = target.path is None and all(map(is_published, hosts))
    return is_here and target.kind == "standalone" and ports == [number]


def _docker(here: Project, *, is_needed: bool) -> Iterator[Finding]:
    try:
        _, about = inspect_project.connect()
    except PawsctlError as error:
        is_asked = here.settings.engine == "docker" and is_needed
        if is_asked or not isinstance(error, NoEngine):
            yield failed("docker", error)
        else:
            yield Finding("docker", "skipped", error.message, error.hint)
        return
    yield Finding("docker", "ok", f"Docker {about.version} answers at {about.endpoint}")
    if not about.is_remote:
        yield from _disk(Path(about.root), _DOCKERS)


def _disk(place: Path, hint: str) -> Iterator[Finding]:
    """Check the free space of a disk on which data is kept; the hint says how to make room."""
    try:
        there = next(each for each in (place, *place.parents) if each.exists())
        free = shutil.disk_usage(there).free
    except OSError:
        return  # It lies where this user may not look.
    detail = f"{free / (1 << 30):.1f} GB are free at {there}"
    if free < _LITTLE:
        yield Finding("disk", "failed" if free < _NONE else "warning", detail, hint)
    else:
        yield Finding("disk", "ok", detail)


def _stack(here: Project, target: Target, *, answers: bool, is_needed: bool) -> Iterator[Finding]:
    reasons: list[str] = []
    elsewhere: list[HeldElsewhere] = []

    def note(event: Event) -> None:
        if isinstance(event, EngineChosen):
            reasons.append(event.reason.rstrip("."))
        elif isinstance(event, HeldElsewhere):
            elsewhere.append(event)

    own = here.settings
    try:
        found = status.status(own, emit=note)
    except NoEngine as error:
        yield Finding("stack", "failed" if is_needed else "skipped", error.message, error.hint)
        return
    except PawsctlError as error:
        yield failed("stack", error)
        return
    engine = f"{found.engine} ({', '.join(reasons)})"
    yield from check_containers.examine(here, found.engine, found.services, is_needed=is_needed)
    for each in elsewhere:
        detail = f"{each.engine} holds data of this project, too: {', '.join(each.places)}"
        hint = f"PAWSCTL_ENGINE={each.engine} goes on with it."
        yield Finding("other engine", "warning", detail, hint)
    if found.is_running:
        number = parse(found.url, origin=engine).addresses[0].port
        yield Finding("port", "ok", f"port {number} on 127.0.0.1 is this project's own")
        yield _running(found, engine, target)
        yield _password(own)
        return
    is_used = leads_to(target, own.redis_port)
    if any(each.port == own.redis_port for each in found.services):
        yield Finding("port", "ok", f"port {own.redis_port} on 127.0.0.1 is this project's own")
    else:
        yield from check_port.examine(own, target, is_used=is_used, is_needed=is_needed)
    if is_used:
        yield _not_running(found, engine, answers=answers, is_needed=is_needed)
    else:
        yield Finding("stack", "skipped", f"{engine}: does not run, and is not what is used")


def _not_running(found: StackStatus, engine: str, *, answers: bool, is_needed: bool) -> Finding:
    """Return the finding on a stack that should be used and does not run."""
    hanging = [each for each in found.services if each.state in ("running", "paused", "restarting")]
    if hanging:
        states = ", ".join(f"{each.service} {each.state}" for each in hanging)
        detail = f"{engine}: {states}. {found.problem or ''}".rstrip()
        state: State = "failed" if is_needed else "warning"
        mends = "" if found.has_ways_out else "; 'pawsctl redis up' mends it"
        hint = f"See 'pawsctl redis logs'{mends}."
        return Finding("stack", state, detail, hint)
    if answers:
        return Finding("stack", "skipped", f"{engine}: does not run; another server has its port")
    return Finding("stack", "failed", f"{engine}: {found.problem}", "pawsctl redis up")


def _running(found: StackStatus, engine: str, target: Target) -> Finding:
    states = ", ".join(f"{each.service} {each.health or each.state}" for each in found.services)
    detail = f"{engine}: {states}"
    if any(each.health == "unhealthy" for each in found.services):
        return Finding("stack", "warning", detail, "See 'pawsctl redis logs'.")
    number = parse(found.url, origin=engine).addresses[0].port
    if not leads_to(target, number):
        return Finding(
            "stack",
            "warning",
            f"{detail}, and the session commands use another Redis",
            f"To use this one, {_way_to(found.url, number, target)}.",
        )
    if found.problem:
        return Finding("stack", "warning", f"{detail}. {found.problem}")
    return Finding("stack", "ok", detail)


def _way_to(url: str, number: int, target: Target) -> str:
    """Return in words how to have the session commands use the Redis at `url`."""
    if target.origin.startswith(("the default", "REDIS_PORT")):
        return f"set REDIS_PORT to {number}"
    if target.origin.startswith("REDIS_URL"):
        return f"unset REDIS_URL or set it to {url}"
    return f"name {url} in place of the URL from {target.origin}"


def _password(own: StackSettings) -> Finding:
    """Return a finding on whether other users of this machine can use this project's Redis."""
    if open_to := cautions.unprotected(own):
        return Finding("password", "warning", open_to, cautions.UNPROTECTED_HINT)
    return Finding("password", "ok", "no other user of this machine gets in without one")
