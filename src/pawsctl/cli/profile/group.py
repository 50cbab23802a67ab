"""The `pawsctl profile` group, and what several of its commands share."""

from typing import ClassVar

import typer

from pawsctl.cli.context import Invocation
from pawsctl.cli.global_options import ABOUT_CONNECTIONS, Command, ListCommand, invocation
from pawsctl.cli.groups import LazyGroup


class ProfileGroup(LazyGroup):
    """Every command of `pawsctl profile` by name, in the order of the help."""

    sources: ClassVar = {
        "list": "pawsctl.cli.profile.list",
        "show": "pawsctl.cli.profile.show",
        "check": "pawsctl.cli.profile.check",
    }
    untaken = ABOUT_CONNECTIONS


app = typer.Typer(
    cls=ProfileGroup,
    add_completion=False,
    rich_markup_mode=None,
)


@app.callback()
def profile() -> None:
    """Show and check the named environments in pawsctl.toml."""


class ProfileCommand(Command):
    """A command on the profiles themselves, which a URL does not name."""

    untaken = ABOUT_CONNECTIONS


class ProfileListCommand(ProfileCommand, ListCommand):
    """A ProfileCommand whose result is a list."""


def known_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the names of the profiles that begin like this, for completion."""
    return [each for each in invocation(ctx).profile_names() if each.startswith(incomplete)]


def chosen(run: Invocation, name: str) -> str:
    """Return the name on the command line, or else that of the profile in use.

    Raises UsageError if there is neither.
    """
    from pawsctl.errors import UsageError

    found = name or run.settings.text("PAWSCTL_PROFILE")
    if not found:
        raise UsageError(
            "No profile is named, and none is in use.",
            hint="Name one; 'pawsctl profile list' shows them.",
        )
    return found
