"""`pawsctl test-session`: the bot's session flow as a smoke check."""

import os
import re
from pathlib import Path
from typing import Annotated

import typer

from pawsctl.cli.arguments import require_writable
from pawsctl.cli.options import Command, invocation
from pawsctl.errors import ExitStatus

app = typer.Typer(add_completion=False, rich_markup_mode=None)


def latency(text: str) -> float:
    """Seconds from `50ms`, `0.5s` or a bare number of milliseconds."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s)?", text)
    if not found or not float(found[1]):
        raise typer.BadParameter("write it like 50ms or 0.5s.")
    return float(found[1]) * (1 if found[2] == "s" else 0.001)


@app.command("test-session", cls=Command)
def test_session(
    ctx: typer.Context,
    junit: Annotated[
        Path | None, typer.Option("--junit", metavar="FILE", help="Write a JUnit report too.")
    ] = None,
    max_latency: Annotated[
        float | None,
        typer.Option(
            "--max-latency",
            metavar="TIME",
            parser=latency,
            help="Fail a step in which a single operation took longer, such as 50ms.",
        ),
    ] = None,
) -> None:
    """Run the bot's session flow against a Redis: every operation, asserted and timed.

    Works on random phones that no person has, and deletes what it wrote.
    """
    from pawsctl.cli import reports, views
    from pawsctl.sessions import flow

    run = invocation(ctx)
    require_writable(junit)
    with run.store() as store:
        report = flow.run(store, max_latency=max_latency, done=run.output.live(views.flow_step))
    run.output.show(report, views.flow_summary)
    reports.publish(reports.of_flow(report), junit=junit, environ=os.environ, output=run.output)
    if not report.ok:
        raise typer.Exit(ExitStatus.FAILED)
