"""`pawsctl backup show`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from pawsctl.cli.backup.group import BackupListCommand, Latest, Name, app, place_of
from pawsctl.cli.global_options import invocation
from pawsctl.cli.output.table import Column, Span
from pawsctl.cli.output.units import duration, moment, size
from pawsctl.plurals import plural

if TYPE_CHECKING:
    from pawsctl.safety.backups.catalog import BackupSession


@app.command(cls=BackupListCommand)
def show(ctx: typer.Context, name: Name = "", *, latest: Latest = False) -> None:
    """List what a backup holds."""
    from pawsctl.safety.backups import catalog
    from pawsctl.sessions.archive import read

    run = invocation(ctx)
    place = place_of(run, name, latest=latest)
    with read.opened(str(place.path)) as archive:
        run.output.note(
            f"{plural(archive.count, 'key')} of {archive.header.source}, kept before "
            f"{place.before} at {moment(place.made_at)} in {place.path}"
        )
        run.output.rows(
            catalog.sessions(archive, run.mask_in_use()),
            columns(is_raw=archive.header.values == "raw"),
            fields=catalog.BackupSession.__struct_fields__,
        )


def left_of(row: BackupSession) -> Span:
    """Return the time that a session would have left."""
    return (duration(row.ttl), "") if row.ttl else ("expired", "yellow")


def columns(*, is_raw: bool) -> Sequence[Column[BackupSession]]:
    """Return the columns; another application's sessions have ids, and no messages."""
    messages: Column[BackupSession] = Column(
        "MESSAGES",
        lambda row: ("-" if row.messages is None else str(row.messages), ""),
        gives_way=2,
    )
    return (
        Column("ID" if is_raw else "PHONE", lambda row: (row.phone, "cyan")),
        Column("LEFT", left_of),
        *(() if is_raw else (messages,)),
        Column("SIZE", lambda row: (size(row.bytes), ""), gives_way=1),
        Column("TYPE", lambda row: (row.type, "")),
    )
