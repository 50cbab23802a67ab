"""`pawsctl doctor`: what is wrong, and how to mend it."""

from pathlib import Path
from typing import Annotated

import typer

from pawsctl.cli.options import Command, invocation
from pawsctl.errors import ExitStatus

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command("doctor", cls=Command)
def doctor(
    ctx: typer.Context,
    *,
    bundle: Annotated[
        Path | None,
        typer.Option(
            "--bundle",
            metavar="FILE.tar.gz",
            help="Write down what a colleague needs; passwords, phones and texts are blanked.",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace that file.")] = False,
) -> None:
    """Find out what is wrong, and say how to mend it; changes nothing.

    Looks, from the ground up, at Docker, this project's containers and port, settings, the way to
    Redis, the server and every session, up to the first that is broken; and at the bot. Exits with
    1 where something failed.
    """
    from pawsctl.cli import doctor_views
    from pawsctl.cli.arguments import require_writable
    from pawsctl.doctor import bundle as bundling
    from pawsctl.doctor import examining, network

    run = invocation(ctx)
    require_writable(bundle)
    if bundle is not None:
        bundling.require_new(bundle, overwrite=force)
    found = examining.examine(
        lambda: run.settings,
        run.connect,
        done=run.output.live(doctor_views.finding),
        patience=run.connect_timeout or network.PATIENCE,
    )
    run.output.show(found, doctor_views.summary)
    if bundle is not None:
        bundling.write(bundle, found, lambda: run.settings, run.connect, overwrite=force)
        run.output.note(f"Wrote {bundle}: read it before you hand it on.")
    if not found.ok:
        raise typer.Exit(ExitStatus.FAILED)
