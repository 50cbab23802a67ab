"""`pawsctl doctor`: what is wrong, and how to mend it."""

import typer

from pawsctl.cli.options import Command, invocation
from pawsctl.errors import ExitStatus

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command("doctor", cls=Command)
def doctor(ctx: typer.Context) -> None:
    """Find out what is wrong, and say how to mend it; changes nothing.

    Looks at settings, Redis, this project's own containers, memory, clocks, every session, and the
    bot. Exits with 1 where something failed.
    """
    from pawsctl.cli import doctor_views
    from pawsctl.doctor import examining

    run = invocation(ctx)
    found = examining.examine(
        lambda: run.settings, run.connect, done=run.output.live(doctor_views.finding)
    )
    run.output.show(found, doctor_views.summary)
    if not found.ok:
        raise typer.Exit(ExitStatus.FAILED)
