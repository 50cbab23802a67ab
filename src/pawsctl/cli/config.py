"""`pawsctl config`: every setting and where it came from."""

from typing import Annotated

import typer

from pawsctl.cli import views
from pawsctl.cli.options import ListCommand, invocation
from pawsctl.settings import shown

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command("config", cls=ListCommand)
def config(
    ctx: typer.Context,
    *,
    show_url: Annotated[
        bool,
        typer.Option(
            "--show-url",
            help="Print only the URL that session commands use, with its password.",
        ),
    ] = False,
) -> None:
    """Show every setting, its value and where it came from; passwords are hidden."""
    run = invocation(ctx)
    if not show_url:
        run.output.rows(shown(run.settings), views.SETTING_COLUMNS)
        return
    from pawsctl import url_with_password

    run.output.show({"url": url_with_password.of(run.target())}, views.url)
