"""`pawsctl profile check`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from pawsctl.cli.global_options import invocation
from pawsctl.cli.output.table import Line
from pawsctl.cli.profile.group import ProfileCommand, app, known_names
from pawsctl.errors import ExitStatus

if TYPE_CHECKING:
    from pawsctl.workflows.check_profile import ProfileCheck


class CheckCommand(ProfileCommand):
    """A ProfileCommand that connects."""

    untaken = ProfileCommand.untaken - {"--connect-timeout", "--timeout", "--failover-timeout"}


@app.command("check", cls=CheckCommand)
def check(
    ctx: typer.Context,
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME...]",
            autocompletion=known_names,
            help="Profiles to check; the one in use by default, or else all.",
        ),
    ] = None,
) -> None:
    """Check that profiles can be used: settings, password, and whether their Redis answers.

    Connects for reading alone. Exits with 1 if a profile fails.
    """
    from pawsctl.workflows import check_profile as operation

    run = invocation(ctx)
    in_use = "" if names else run.settings.text("PAWSCTL_PROFILE")
    wanted = names or ([in_use] if in_use else list(run.profiles()))
    found = [
        operation.check(run.profile_named(name), run.timeouts(), run.output.note) for name in wanted
    ]
    run.output.show(found, checks_view)
    if not all(each.ok for each in found):
        raise typer.Exit(ExitStatus.FAILED)


def checks_view(found: Sequence[ProfileCheck]) -> Iterator[Line]:
    """Render the steps of each profile's check."""
    for profile in found:
        yield [(profile.name, "bold cyan")]
        for step in profile.steps:
            if step.skipped:
                yield [(f"  - {step.name}", "dim")]
                continue
            mark = ("  ✓ ", "green") if step.ok else ("  ✗ ", "bold red")
            yield [mark, (f"{step.name:<10}", ""), (step.detail, "" if step.ok else "red")]
    if not found:
        yield [("There is no profile.", "")]
