"""`pawsctl health`: check whether Redis can serve the bot, for people and probes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer

from pawsctl.cli.global_options import Command, invocation
from pawsctl.errors import ExitStatus

if TYPE_CHECKING:
    from pawsctl.cli.output.table import Line, Span
    from pawsctl.server.health import Health


app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command("health", cls=Command)
def health_(ctx: typer.Context) -> None:
    """Check that every primary answers and allows reads and writes.

    Writes nothing. --timeout applies to the whole check. Exits with 1 if a check fails, with 5 if
    Redis can't be reached.
    """
    from pawsctl.server import health

    run = invocation(ctx)
    with run.connect(one_deadline=True) as connection:
        found = health.check(connection)
    run.output.show(found, health_view)
    if not found.ok:
        raise typer.Exit(ExitStatus.FAILED)


def health_view(found: Health) -> Iterator[Line]:
    """Render a line for each check, and the overall result."""
    for check in found.checks:
        mark: Span = ("✓ ", "green") if check.ok else ("✗ ", "bold red")
        yield [
            mark,
            (check.name, ""),
            (f"  {check.seconds * 1000:.1f} ms", "dim"),
            (f"  {check.detail}" if check.detail else "", "" if check.ok else "red"),
        ]
    word: Span = ("healthy", "bold green") if found.ok else ("unhealthy", "bold red")
    yield [word, (f": {found.url}", "")]
