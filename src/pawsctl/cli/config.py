"""`pawsctl config`: every setting and where it came from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from pawsctl.cli.global_options import ListCommand, invocation
from pawsctl.cli.output import units
from pawsctl.cli.output.table import Column
from pawsctl.config.shown_settings import shown

if TYPE_CHECKING:
    from pawsctl.config.setting_specs import Setting


SETTING_COLUMNS: tuple[Column[Setting], ...] = (
    Column("SETTING", lambda row: (row.name, "cyan")),
    Column("VALUE", lambda row: (row.value or "-", "")),
    Column("FROM", lambda row: (row.origin, "dim" if row.is_default else "")),
)


app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command("config", cls=ListCommand)
def config(
    ctx: typer.Context,
    *,
    show_url: Annotated[
        bool,
        typer.Option(
            "--show-url",
            help="Print only the URL that session commands use, including its password.",
        ),
    ] = False,
) -> None:
    """Show every setting, its value and its origin.

    Passwords are hidden.
    """
    run = invocation(ctx)
    if not show_url:
        run.output.rows(shown(run.settings), SETTING_COLUMNS)
        return
    from pawsctl.config import url_with_password

    run.output.show({"url": url_with_password.of(run.target())}, units.url)
