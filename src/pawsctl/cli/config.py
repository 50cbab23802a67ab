"""`pawsctl config`: every setting and where it came from."""

from __future__ import annotations

from typing import Annotated, ClassVar

import typer

from pawsctl.cli import lookups
from pawsctl.cli.global_options import ABOUT_CONNECTIONS, ListCommand, invocation
from pawsctl.cli.output import units
from pawsctl.cli.output.table import Column
from pawsctl.config.setting_specs import Setting
from pawsctl.config.shown_settings import shown

SETTING_COLUMNS: tuple[Column[Setting], ...] = (
    Column("SETTING", lambda row: (row.name, "cyan")),
    Column("VALUE", lambda row: (row.value or "-", "")),
    Column("FROM", lambda row: (row.origin, "dim" if row.is_default else "")),
)


app = typer.Typer(add_completion=False, rich_markup_mode=None)


class ConfigCommand(ListCommand):
    """A command that reads settings and does not connect."""

    untaken = ABOUT_CONNECTIONS - {"--url", "--db"}
    values: ClassVar = {"settings": lookups.settings}


@app.command("config", cls=ConfigCommand)
def config(
    ctx: typer.Context,
    settings: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SETTING...]", help="Settings to show; all by default."),
    ] = None,
    *,
    show_url: Annotated[
        bool,
        typer.Option(
            "--show-url",
            help="Print only the URL that session commands use, including its password.",
        ),
    ] = False,
) -> None:
    """Show settings, their values and their origins.

    Passwords are hidden. Without REDIS_URL, shows the URL that follows from the others.
    """
    run = invocation(ctx)
    if not show_url:
        rows = shown(run.settings, db=run.db, names=settings or ())
        run.output.rows(rows, SETTING_COLUMNS, fields=Setting.__struct_fields__)
        return
    from pawsctl.config import url_with_password

    run.output.show({"url": url_with_password.of(run.target())}, units.url)
