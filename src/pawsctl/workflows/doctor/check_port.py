"""Check who holds the port of this project's own Redis."""

from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

from pawsctl.config.settings import StackSettings
from pawsctl.config.target import Target
from pawsctl.errors import PawsctlError
from pawsctl.stack.engine import ports
from pawsctl.stack.engine.docker import inspect_project
from pawsctl.stack.engine.embedded import other_projects
from pawsctl.stack.project.project import load
from pawsctl.workflows.doctor.finding import Finding


def examine(
    own: StackSettings, target: Target, *, is_used: bool, is_needed: bool
) -> Iterator[Finding]:
    """Yield whether the port is free, or who holds it, when this project's Redis does not run.

    `is_used` means that the session commands talk to this port.
    """
    number = own.redis_port
    where = f"port {number} on 127.0.0.1"
    if ports.is_free(number):
        yield Finding("port", "ok", f"{where} is free")
        return
    who, remedy, is_ours, project = _holder(own, number)
    detail = f"{where} is held by {who}"
    if is_ours:
        yield Finding("port", "ok", f"{detail}, which is this project's own")
        return
    if project and project != own.project:
        detail += f", of the project '{project}'"
    hint = f"{remedy}, or set REDIS_PORT to another one."
    if is_needed:
        yield Finding("port", "failed", detail, hint)
    elif is_used and (project or target.origin.startswith(("the default", "REDIS_PORT"))):
        # The user has not named that Redis: it only holds the port.
        yield Finding("port", "warning", f"{detail}: that is what is used", hint)
    else:
        yield Finding("port", "ok", detail)


class _Holder(NamedTuple):
    """The holder of a port: what frees it, whether it is our own Redis, its project or ''."""

    who: str
    remedy: str
    is_ours: bool
    project: str


def _holder(own: StackSettings, number: int) -> _Holder:
    # Without Docker, no container can be named.
    with suppress(PawsctlError):
        api, _ = inspect_project.connect()
        if found := inspect_project.publisher(api, number):
            ours = inspect_project.inspected(api, load(own).stack)
            is_ours = f"/{found.name}" in {each["Name"] for each in ours}
            stop = f"Stop it with 'docker stop {found.name}'"
            return _Holder(f"the container {found.name}", stop, is_ours, found.project)
    who, remedy = ports.use(number)
    if holder := other_projects.holder(number, but=own.project):
        remedy = f"Stop it with 'PAWSCTL_PROJECT={holder.project} pawsctl redis stop{holder.hint}'"
        return _Holder(who, remedy, is_ours=False, project=holder.project)
    return _Holder(who, remedy, is_ours=False, project="")
