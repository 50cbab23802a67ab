"""`pawsctl health`: whether Redis can do the bot's work, for people and probes."""

import typer

from pawsctl.cli.options import Command, invocation
from pawsctl.errors import ExitStatus

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command("health", cls=Command)
def health_(ctx: typer.Context) -> None:
    """Check that every primary answers, may be read and takes writes; writes nothing itself.

    --timeout is for the whole check. Exits with 1 where a check fails, with 5 where Redis can't be
    reached.
    """
    from pawsctl import health
    from pawsctl.cli import health_views

    run = invocation(ctx)
    with run.connect(one_deadline=True) as connection:
        found = health.check(connection)
    run.output.show(found, health_views.report)
    if not found.ok:
        raise typer.Exit(ExitStatus.FAILED)
