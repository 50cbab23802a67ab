"""`pawsctl profile list`."""

import typer

from pawsctl.cli.global_options import invocation
from pawsctl.cli.output import PRODUCTION
from pawsctl.cli.output.table import Column
from pawsctl.cli.profile.group import ProfileListCommand, app
from pawsctl.config.profiles.summary import ProfileItem, listed
from pawsctl.errors import UsageError


@app.command("list", cls=ProfileListCommand)
def list_(ctx: typer.Context) -> None:
    """List the profiles, and where they lead.

    Reads pawsctl.toml in your configuration directory, and the nearest one from the working
    directory up.
    """
    run = invocation(ctx)
    known = run.profiles()
    in_use = ""
    try:
        in_use = run.settings.text("PAWSCTL_PROFILE")
    except UsageError as error:
        # The one in use may be none of these, which the list is to show.
        mask = run.output.mask
        run.output.warn(error.message if mask is None else mask.clause(error.message))
    run.output.rows([listed(each, in_use) for each in known.values()], COLUMNS)
    if not known:
        from pawsctl.config.profiles.files import own_path

        run.output.note(f"No profiles. Your own are those of {own_path()}.")


COLUMNS: tuple[Column[ProfileItem], ...] = (
    Column("PROFILE", lambda row: (row.name, PRODUCTION if row.production else "cyan")),
    Column("IN USE", lambda row: ("yes" if row.in_use else "", ""), gives_way=4),
    Column("PRODUCTION", lambda row: ("yes" if row.production else "no", "")),
    Column("READ-ONLY", lambda row: ("yes" if row.read_only else "no", ""), gives_way=3),
    Column("MASK", lambda row: ("yes" if row.mask else "no", ""), gives_way=2),
    Column("FILE", lambda row: ("your own" if row.own else "the project's", "dim"), gives_way=1),
    Column("URL", lambda row: (row.url, "")),
)
