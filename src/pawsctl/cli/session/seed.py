"""`pawsctl session seed`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from pawsctl.cli.arguments import Confirm
from pawsctl.cli.confirm.guard import confirm_sessions
from pawsctl.cli.global_options import Command, invocation
from pawsctl.cli.session.group import app
from pawsctl.plurals import plural

if TYPE_CHECKING:
    from pawsctl.cli.output.table import Line
    from pawsctl.sessions.edit.seed import Seeded


@app.command(cls=Command)
def seed(
    ctx: typer.Context,
    count: Annotated[
        int, typer.Argument(metavar="N", min=1, max=10**8, help="Number of sessions.")
    ],
    *,
    number: Annotated[
        int,
        typer.Option(
            "--seed",
            metavar="NUMBER",
            help="Random seed; the same number creates the same sessions.",
        ),
    ] = 1,
    confirm: Confirm = "",
) -> None:
    """Create fake sessions in a Redis on this machine, for tests and demos."""
    from pawsctl.sessions.edit import seed as operation

    run = invocation(ctx)
    run.keyspace.require_bots("'session seed'")
    with run.store() as store:
        operation.require_local(store)
        confirm_sessions(run, store, host=confirm)
        with run.output.progress("seeding", count) as progress:
            seeded = operation.seed(store, count, number=number, progress=progress)
    run.count(written=seeded.sessions)
    run.output.show(seeded, seeded_view)
    operation.require_all(seeded)


def seeded_view(result: Seeded) -> Iterator[Line]:
    """Render how many sessions were written, how many were there, and how many were evicted."""
    kept = ""
    if result.kept:
        kept = f" {plural(result.kept, 'phone')} had one already, which stays; --seed makes others."
    yield [(f"Wrote {plural(result.sessions, 'session')} into {result.url}.{kept}", "")]
    if result.evicted:
        evicted = plural(result.evicted, "key")
        yield [(f"! Redis evicted {evicted} meanwhile: its memory is full", "red")]
