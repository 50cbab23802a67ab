"""Check who holds the port of this project's own Redis."""

from collections.abc import Iterator
from contextlib import suppress

from pawsctl.config.settings import StackSettings
from pawsctl.config.target import Target
from pawsctl.errors import PawsctlError
from pawsctl.stack.engine import ports
from pawsctl.stack.engine.docker import inspect_project
from pawsctl.stack.engine.embedded import other_projects
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
    (who, remedy), project = _holder(own, number)
    detail = f"{where} is held by {who}"
    if project == own.project:
        yield Finding("port", "ok", f"{detail}, which is this project's own")
        return
    hint = f"{remedy}, or set REDIS_PORT to another one."
    if project:
        detail += f", of the project '{project}'"
        hint = f"PAWSCTL_PROJECT={project} pawsctl redis down; or set REDIS_PORT to another one."
    if is_needed:
        yield Finding("port", "failed", detail, hint)
    elif is_used and (project or target.origin.startswith(("the default", "REDIS_PORT"))):
        # The user has not named that Redis: it only holds the port.
        yield Finding("port", "warning", f"{detail}: that is what is used", hint)
    else:
        yield Finding("port", "ok", detail)


def _holder(own: StackSettings, number: int) -> tuple[ports.Use, str]:
    """Return who holds a port, and the project it belongs to, or ''."""
    # Without Docker, no container can be named.
    with suppress(PawsctlError):
        api, _ = inspect_project.connect()
        if found := inspect_project.publisher(api, number):
            return ports.Use(f"the container {found.name}", "Stop that"), found.project
    return ports.use(number), other_projects.project_at(number, but=own.project)
