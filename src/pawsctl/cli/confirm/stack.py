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
    from pawsctl.safety import look

    if run.settings.file is not None:
        run.output.note(f"Settings from {run.settings.file}")
    target = _own_marked(run, settings)
    if topology == "single":
        seen = look.at_own(settings.redis_port, settings.redis_password)
    else:
        seen = look.nothing_at_own()
    found = settle(run, target, seen, host=host, yes=yes, question=question)
    run.record(target, is_production=bool(found))


def record_stack(run: Invocation, settings: StackSettings) -> None:
    """Record that this project's own Redis is about to be changed, with all its data kept.

    It is not looked at. Raises OperationFailed if it can't be recorded, and the settings say that
    it is production's.
    """
    target = _own_marked(run, settings)
    run.record(target, is_production=bool(target.production))


def own_target(run: Invocation, settings: StackSettings) -> Target:
    """Return this project's own Redis, without its login."""
    from pawsctl.config.redis_url import parse

    url = f"redis://127.0.0.1:{settings.redis_port}"
    return run.settings.guarded(parse(url, origin="the project's settings"))


def _own_marked(run: Invocation, settings: StackSettings) -> Target:
    """Return the same with what the profile and the settings say of production."""
    from msgspec.structs import replace

    target = own_target(run, settings)
    if profile := run.settings.profile:
        target = replace(target, production=(*profile.claims, *target.production))
    return marked(run, target)
