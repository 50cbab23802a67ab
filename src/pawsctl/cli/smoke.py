"""`pawsctl test-session`: the bot's session flow as a smoke check."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pawsctl.cli.arguments import require_writable
from pawsctl.cli.global_options import Command, invocation
from pawsctl.cli.output.table import Line, Span
from pawsctl.cli.output.units import plural
from pawsctl.errors import ExitStatus

if TYPE_CHECKING:
    from pawsctl.cli.output.ci_reports import Report
    from pawsctl.sessions.smoke.run_flow import FlowReport, StepResult


app = typer.Typer(add_completion=False, rich_markup_mode=None)


def latency(text: str) -> float:
    """Parse `50ms`, `0.5s` or a bare number of milliseconds into seconds. Raises BadParameter."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s)?", text)
    if not found or not float(found[1]):
        raise typer.BadParameter("write it like 50ms or 0.5s.")
    return float(found[1]) * (1 if found[2] == "s" else 0.001)


@app.command("test-session", cls=Command)
def test_session(
    ctx: typer.Context,
    junit: Annotated[
        Path | None, typer.Option("--junit", metavar="FILE", help="Also write a JUnit report.")
    ] = None,
    max_latency: Annotated[
        float | None,
        typer.Option(
            "--max-latency",
            metavar="TIME",
            parser=latency,
            help="Fail a step if one operation takes longer, such as 50ms.",
        ),
    ] = None,
) -> None:
    """Run the bot's session flow as a smoke test.

    Checks and times every operation. Uses random phones that belong to nobody, and deletes the
    sessions that it wrote.
    """
    from pawsctl.cli.output import ci_reports
    from pawsctl.sessions.smoke import run_flow

    run = invocation(ctx)
    require_writable(junit)
    with run.store() as store:
        report = run_flow.run(store, max_latency=max_latency, done=run.output.live(flow_step))
    run.output.show(report, flow_summary)
    ci_reports.publish(of_flow(report), junit=junit, environ=os.environ, output=run.output)
    if not report.ok:
        raise typer.Exit(ExitStatus.FAILED)


def flow_step(step: StepResult) -> Iterator[Line]:
    """Render a finished step of the session flow."""
    mark: Span = ("✓ ", "green") if step.ok else ("✗ ", "bold red")
    yield [
        mark,
        (f"{step.name:<22}", ""),
        (f"{step.seconds * 1000:>8.1f} ms  ", "dim"),
        (step.detail, "" if step.ok else "red"),
    ]


def flow_summary(report: FlowReport) -> Iterator[Line]:
    """Render the result of the flow in a sentence."""
    passed = sum(step.ok for step in report.steps)
    seconds = sum(step.seconds for step in report.steps)
    style = "bold green" if report.ok else "bold red"
    yield [
        (f"{passed} of {plural(len(report.steps), 'step')} passed", style),
        (f" in {seconds:.1f} s against {report.target}", ""),
    ]


def of_flow(report: FlowReport) -> Report:
    """Return the report of the session flow, with a case for each step."""
    from pawsctl.cli.output.ci_reports import Case, Report

    cases = [Case(each.name, each.ok, each.detail, each.seconds) for each in report.steps]
    return Report("test-session", sum(each.seconds for each in cases), cases)
