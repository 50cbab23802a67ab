"""Check this project's own Sentinels or cluster, if the session commands use them."""

from collections.abc import Iterator
from contextlib import suppress

from pawsctl.config.settings import StackSettings
from pawsctl.config.target import Target, is_published
from pawsctl.errors import PawsctlError, UsageError
from pawsctl.stack import topology_status
from pawsctl.stack.events import EngineChosen, Event
from pawsctl.stack.project import layout
from pawsctl.stack.project.layout import Topology
from pawsctl.stack.project.project import Project
from pawsctl.stack.topology_status import TopologyStatus
from pawsctl.workflows.doctor import check_containers
from pawsctl.workflows.doctor.finding import Finding, failed


def used(target: Target, own: StackSettings) -> Topology:
    """Return the topology of this project that a target leads to, or `single`."""
    if target.kind == "standalone" or not all(is_published(each.host) for each in target.addresses):
        return "single"
    with suppress(UsageError):
        ports = layout.variables(target.kind, own.redis_port).values()
        if all(str(each.port) in ports for each in target.addresses):
            return target.kind
    return "single"


def examine(here: Project, *, is_needed: bool) -> Iterator[Finding]:
    """Yield whether the topology takes writes, and which members are missing."""
    reasons: list[str] = []

    def note(event: Event) -> None:
        if isinstance(event, EngineChosen):
            reasons.append(event.reason.rstrip("."))

    try:
        found = topology_status.status(here.settings, here.topology, emit=note)
    except PawsctlError as error:
        yield failed("stack", error)
        return
    yield from check_containers.examine(here, found.engine, found.services, is_needed=is_needed)
    engine = f"{found.engine} ({', '.join(reasons)})"
    problems = found.problems if isinstance(found, TopologyStatus) else ()
    up = f"pawsctl redis up{here.hint}"
    if not found.is_running:
        detail = f"{engine}: the {here.topology} takes no writes; {'; '.join(problems)}"
        # If nothing runs, the problems say what helps: `up` may not.
        runs = any(each.state == "running" for each in found.services)
        helps = runs or any(up in each for each in problems)
        yield Finding("stack", "failed" if is_needed else "warning", detail, up if helps else "")
    elif problems:
        yield Finding("stack", "warning", f"{engine}: {'; '.join(problems)}", up)
    else:
        yield Finding("stack", "ok", f"{engine}: the {here.topology} is whole and takes writes")
