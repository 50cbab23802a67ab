"""The `pawsctl session` group."""

import typer

from pawsctl.cli.global_options import Group

app = typer.Typer(
    cls=Group,
    help="Look after the sessions in a Redis.",
    add_completion=False,
    rich_markup_mode=None,
)
