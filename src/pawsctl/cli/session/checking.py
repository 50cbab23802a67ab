"""Commands that judge all sessions at once: `stats`, `lint`."""

import os
from pathlib import Path
from typing import Annotated

import typer

from pawsctl.cli.arguments import require_writable
from pawsctl.cli.options import Command, ListCommand, invocation
from pawsctl.cli.session.group import app
from pawsctl.errors import ExitStatus


@app.command(cls=Command)
def stats(ctx: typer.Context) -> None:
    """Show sessions at a glance: how many, how long they live, how large they are, what fits."""
    from pawsctl.cli import stats_views
    from pawsctl.sessions import overview

    run = invocation(ctx)
    with run.reader(partial=True) as store:
        run.output.show(overview.gather(store), stats_views.overview)


@app.command(cls=ListCommand)
def lint(
    ctx: typer.Context,
    rule: Annotated[
        list[str] | None,
        typer.Option("--rule", metavar="ID", help="Check this rule only; may be repeated."),
    ] = None,
    ignore: Annotated[
        list[str] | None,
        typer.Option("--ignore", metavar="ID", help="Do not check this rule; may be repeated."),
    ] = None,
    junit: Annotated[
        Path | None, typer.Option("--junit", metavar="FILE", help="Write a JUnit report too.")
    ] = None,
) -> None:
    """Hold every session to the rules of what the bot stores; exit 1 where one is broken."""
    from pawsctl.cli import lint_views, reports
    from pawsctl.sessions import linting

    run = invocation(ctx)
    require_writable(junit)
    wanted = linting.chosen(rule or (), ignore or ())
    with run.reader(partial=True) as store:
        check = linting.Lint(store, wanted)
        run.output.report(
            check.findings(),
            lint_views.FINDING_COLUMNS,
            name="findings",
            fields=linting.Finding.__struct_fields__,
            summary=check.report,
            view=lambda: lint_views.summary(check.report()),
        )
    reports.publish(reports.of_lint(check), junit=junit, environ=os.environ, output=run.output)
    if not check.report().ok:
        raise typer.Exit(ExitStatus.FAILED)
