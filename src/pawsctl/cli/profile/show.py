"""`pawsctl profile show`."""

from collections.abc import Iterator
from typing import Annotated

import typer

from pawsctl.cli.global_options import invocation
from pawsctl.cli.output import PRODUCTION
from pawsctl.cli.output.table import Line, columns_of
from pawsctl.cli.profile.group import ProfileCommand, app, chosen, known_names
from pawsctl.config.profiles.summary import ProfileShown, shown


@app.command("show", cls=ProfileCommand)
def show(
    ctx: typer.Context,
    name: Annotated[
        str,
        typer.Argument(
            metavar="[NAME]",
            autocompletion=known_names,
            help="Profile to show; the one in use by default.",
        ),
    ] = "",
) -> None:
    """Show what a profile sets, with the file and line of each value.

    Runs no password_command, and prints no password.
    """
    run = invocation(ctx)
    run.output.show(shown(run.profile_named(chosen(run, name))), profile_view)


def profile_view(found: ProfileShown) -> Iterator[Line]:
    """Render a profile: a line for each value, with its origin."""
    yield [(found.name, PRODUCTION if found.production else "bold cyan")]
    width = max(columns_of(each.value) for each in found.values) + 2
    for each in found.values:
        gap = " " * (width - columns_of(each.value))
        yield [
            (f"  {each.key:<20}", "cyan"),
            (each.value + gap, ""),
            (each.origin.partition(" in ")[2], "dim"),
        ]
