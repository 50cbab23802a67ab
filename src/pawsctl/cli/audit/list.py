"""`pawsctl audit list`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from pawsctl.cli.audit.group import app
from pawsctl.cli.global_options import ABOUT_CONNECTIONS, ListCommand, invocation
from pawsctl.cli.output.table import Column, Span
from pawsctl.cli.output.units import moment

if TYPE_CHECKING:
    from pawsctl.safety.audit.changes import Recorded
    from pawsctl.sessions.contract.keyspace import Keyspace


class AuditCommand(ListCommand):
    """A command on the audit log of this machine, which connects to no Redis."""

    untaken = ABOUT_CONNECTIONS
    reaches = "reads the audit log of this machine"


@app.command("list", cls=AuditCommand)
def list_(
    ctx: typer.Context,
    *,
    phone: Annotated[
        str,
        typer.Option(
            "--phone",
            metavar="PHONE",
            help="Only changes that name this phone; flush, import and restore name none.",
        ),
    ] = "",
    limit: Annotated[
        int | None,
        typer.Option("--limit", metavar="N", min=1, max=10**9, help="List at most N changes."),
    ] = None,
) -> None:
    """List the changes made with pawsctl, the newest first.

    Phones are recorded as keyed hashes, and texts are not recorded. A change without an end was
    killed, or is still under way.
    """
    from pawsctl.safety.audit import changes

    run = invocation(ctx)
    space = run.keyspace
    name = space.name_of(space.key(phone)) if phone else ""
    run.output.rows(
        changes.recorded(name=name, limit=limit),
        columns(datetime.now(UTC) if run.output.is_terminal else None),
        fields=changes.Recorded.__struct_fields__,
        empty=lambda: none_recorded(space, phone),
    )


def none_recorded(space: Keyspace, phone: str) -> str:
    """Return sentences saying that there is no change, or none that names the phone like this."""
    from pawsctl.safety.audit import changes
    from pawsctl.sessions.query import absent

    if not phone:
        return "No change is recorded."
    key = space.key(phone)
    told = [
        f"Some name {space.shown_name(other)}."
        for other in absent.other_spellings(space, key)
        if changes.recorded(name=space.name_of(other), limit=1)
    ]
    return " ".join([f"No recorded change names {space.shown_name(key)}.", *told])


def end_of(row: Recorded) -> Span:
    """Return the exit status of a change; red if it failed."""
    if row.status is None:
        return ("no end", "yellow")
    return (str(row.status), "red" if row.status else "")


def counts_of(row: Recorded) -> str:
    """Return how many of what a change has changed."""
    return ", ".join(f"{count} {what}" for what, count in row.counts.items() if count)


def columns(now: datetime | None) -> Sequence[Column[Recorded]]:
    """Return the columns; with `now`, TIME says how long ago that was."""
    return (
        Column("TIME", lambda row: (moment(row.at, now=now), "")),
        Column("COMMAND", lambda row: (" ".join((row.command, *row.options)), "cyan")),
        Column("HOST", lambda row: (row.profile or row.host, ""), gives_way=2),
        Column("USER", lambda row: (f"{row.user}@{row.machine}", ""), gives_way=1),
        Column("STATUS", end_of),
        Column("CHANGED", lambda row: (counts_of(row), "")),
    )
