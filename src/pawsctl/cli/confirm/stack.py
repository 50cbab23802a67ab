"""The guard before this project's own Redis."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pawsctl.cli.confirm.guard import marked, settle

if TYPE_CHECKING:
    from pawsctl.cli.context import Invocation
    from pawsctl.config.settings import StackSettings
    from pawsctl.config.target import Target
    from pawsctl.stack.project.layout import Topology


def confirm_stack(
    run: Invocation,
    settings: StackSettings,
    topology: Topology,
    question: str,
    *,
    host: str,
    yes: bool,
) -> None:
    """Guard this project's own Redis, and name the `.env` that selects it.

    A topology is not looked at: it is for trials. Raises NotConfirmed.
    """
    from msgspec.structs import replace

    from pawsctl.safety import look

    if run.settings.file is not None:
        run.output.note(f"Settings from {run.settings.file}")
    target = own_target(run, settings)
    if profile := run.settings.profile:
        target = replace(target, production=(*profile.claims, *target.production))
    if topology == "single":
        seen = look.at_own(settings.redis_port, settings.redis_password)
    else:
        seen = look.nothing_at_own()
    target = marked(run, target)
    found = settle(run, target, seen, host=host, yes=yes, question=question)
    run.record(target, is_production=bool(found))


def own_target(run: Invocation, settings: StackSettings) -> Target:
    """Return this project's own Redis, without its login."""
    from pawsctl.config.redis_url import parse

    url = f"redis://127.0.0.1:{settings.redis_port}"
    return run.settings.guarded(parse(url, origin="the project's settings"))
