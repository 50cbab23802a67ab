"""The `pawsctl audit` group."""

from typing import ClassVar

import typer

from pawsctl.cli.global_options import ABOUT_CONNECTIONS
from pawsctl.cli.groups import LazyGroup


class AuditGroup(LazyGroup):
    """Every command of `pawsctl audit` by name."""

    sources: ClassVar = {"list": "pawsctl.cli.audit.list"}
    untaken = ABOUT_CONNECTIONS


app = typer.Typer(
    cls=AuditGroup,
    add_completion=False,
    rich_markup_mode=None,
)


@app.callback()
def audit() -> None:
    """Show who changed what with pawsctl on this machine."""
