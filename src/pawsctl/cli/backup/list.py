"""`pawsctl backup list`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

from pawsctl.cli.backup.group import BackupListCommand, app
from pawsctl.cli.global_options import invocation
from pawsctl.cli.output.table import Column, Span
from pawsctl.cli.output.units import moment, size

if TYPE_CHECKING:
    from pawsctl.safety.backups.catalog import Backup


@app.command("list", cls=BackupListCommand)
def list_(ctx: typer.Context) -> None:
    """List the backups, the newest first.

    A backup is kept for a day, or for the PAWSCTL_BACKUP_HOURS that were set when it was made.
    The next command that makes one removes it. The newest of 'redis reset' stays until there is
    a newer one.
    """
    from pawsctl.safety.backups import catalog

    run = invocation(ctx)
    found = catalog.listed(run.settings.backup_hours())
    run.output.rows(
        found,
        columns(datetime.now(UTC) if run.output.is_terminal else None),
        fields=catalog.Backup.__struct_fields__,
        empty=lambda: "There is no backup.",
    )


def sessions_of(row: Backup) -> Span:
    """Return the number of keys in a backup, or that it is damaged."""
    return ("damaged", "red") if row.problem else (str(row.sessions), "")


def columns(now: datetime | None) -> Sequence[Column[Backup]]:
    """Return the columns; with `now`, MADE says how long ago that was."""
    return (
        Column("NAME", lambda row: (row.name, "cyan")),
        Column("MADE", lambda row: (moment(row.made_at, now=now), ""), gives_way=2),
        # The name ends in it.
        Column("BEFORE", lambda row: (row.before, ""), gives_way=3),
        Column("SESSIONS", sessions_of, gives_way=4),
        Column("SIZE", lambda row: (size(row.bytes), ""), gives_way=1),
        Column("OF", lambda row: (row.url or row.problem or "", "")),
    )
