"""`pawsctl config`: every setting and where it came from."""

import typer

from pawsctl.cli import views
from pawsctl.cli.options import ListCommand, invocation
from pawsctl.settings import shown

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command("config", cls=ListCommand)
def config(ctx: typer.Context) -> None:
    """Show every setting, its value and where it came from; passwords are hidden."""
    run = invocation(ctx)
    run.output.rows(shown(run.settings), views.SETTING_COLUMNS)
