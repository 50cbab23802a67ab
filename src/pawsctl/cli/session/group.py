"""The `pawsctl session` group."""

import typer

from pawsctl.cli.global_options import Group

app = typer.Typer(
    cls=Group,
    help="Inspect and manage sessions.",
    add_completion=False,
    rich_markup_mode=None,
)
