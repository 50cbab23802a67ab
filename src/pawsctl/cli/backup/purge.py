"""`pawsctl backup purge`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from pawsctl.cli import lookups
from pawsctl.cli.arguments import Confirm, Yes
from pawsctl.cli.backup.group import BackupCommand, app
from pawsctl.cli.confirm.backups import confirm_backups
from pawsctl.cli.global_options import invocation
from pawsctl.plurals import plural

if TYPE_CHECKING:
    from pawsctl.cli.output.table import Line
    from pawsctl.safety.backups.purge import Purged


@app.command(cls=BackupCommand)
def purge(
    ctx: typer.Context,
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME...]",
            autocompletion=lookups.backups,
            help="Names of backups; without one, all are removed.",
        ),
    ] = None,
    *,
    yes: Yes = False,
    confirm: Confirm = "",
) -> None:
    """Remove backups now, before their time is up.

    If a backup is of a Redis that may be production's, --confirm must name its host.
    """
    from pawsctl.safety.backups import purge as operation

    run = invocation(ctx)
    run.require_changeable("this removes backups")
    places = operation.chosen(names or [])
    if places:
        question = f"Remove {plural(len(places), 'backup')}?"
        confirm_backups(run, operation.sources(places), question, host=confirm, yes=yes)
    purged = operation.purge(places)
    run.count(removed=len(purged.removed))
    run.output.show(purged, purged_view)


def purged_view(result: Purged) -> Iterator[Line]:
    """Render how many backups were removed."""
    yield [(f"Removed {plural(len(result.removed), 'backup')}.", "")]
