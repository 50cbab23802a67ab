"""`pawsctl test-session`: the bot's session flow as a smoke check."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from pawsctl.cli.arguments import JUnit, require_writable, time_option, waiting_time
from pawsctl.cli.global_options import Command, invocation
from pawsctl.cli.output.table import Line, Span
from pawsctl.errors import ExitStatus

if TYPE_CHECKING:
    from pawsctl.cli.output.ci_reports import Report
    from pawsctl.sessions.smoke.run_flow import FlowReport, StepResult


app = typer.Typer(add_completion=False, rich_markup_mode=None)

# The last run of those that --retry-for repeats waits this long for a reply, however little time is
# left.
_LEAST_SECONDS = 1.0


def latency(text: str) -> float:
    """Parse a latency such as `50ms` into seconds. Raises BadParameter."""
    seconds = time_option(text, like="50ms or 0.5s")
    if not seconds:
        raise typer.BadParameter("it is more than 0.")
    return seconds


@app.command("test-session", cls=Command)
def test_session(
    ctx: typer.Context,
    junit: JUnit = None,
    max_latency: Annotated[
        float | None,
        typer.Option(
            "--max-latency",
            metavar="TIME",
            parser=latency,
            help="Fail a step if one operation takes longer, such as 50ms.",
        ),
    ] = None,
    retry_for: Annotated[
        float | None,
        typer.Option(
            "--retry-for",
            metavar="TIME",
            parser=waiting_time,
            help="Repeat the flow until it passes, for this long, such as 60s.",
        ),
    ] = None,
) -> None:
    """Run the bot's session flow as a smoke test.

    Checks and times every operation. Uses random phones that belong to nobody, and deletes the
    sessions that it wrote. With --retry-for, the report is that of the last run.
    """
    from pawsctl import attempts
    from pawsctl.cli.output import ci_reports
    from pawsctl.sessions.smoke import run_flow

    run = invocation(ctx)
    run.keyspace.require_bots("'test-session'")
    require_writable(junit)
    reports = ci_reports.Reports(junit, run.output)
    finished: list[StepResult] = []
    left: list[bytes] = []
    live = run.output.live(flow_step)

    def done(step: StepResult) -> None:
        finished.append(step)
        if not retry_for:
            live(step)

    ends = time.monotonic() + (retry_for or 0)

    def attempt() -> FlowReport:
        finished.clear()
        seconds = max(_LEAST_SECONDS, round(ends - time.monotonic(), 1))
        timeouts = run.timeouts().at_most(seconds, "--retry-for") if retry_for else None
        with run.store(timeouts=timeouts) as store:
            run.record(store.connection.target)
            return run_flow.run(store, max_latency=max_latency, done=done, left=left)

    with reports.of_failure(
        lambda error: of_steps(run_flow.cut_short(finished, error, run.keyspace))
    ):
        report = attempts.until_ok(
            attempt,
            seconds=retry_for or 0,
            wrong_with=failed_step,
            tell=lambda reason: run.output.note(f"Trying again: {reason}"),
        )
    if retry_for:
        for step in finished:
            live(step)
    run.output.show(report, flow_summary)
    reports.publish(of_steps(report.steps))
    if not report.ok:
        is_refused = "Redis refused" in failed_step(report)
        run.output.advise(lambda: "'pawsctl doctor' says what to do about it." * is_refused)
        raise typer.Exit(ExitStatus.FAILED)


def failed_step(report: FlowReport) -> str:
    """Return the step that failed and why, or ''."""
    return next((f"{each.name}: {each.detail}" for each in report.steps if not each.ok), "")


def flow_step(step: StepResult) -> Iterator[Line]:
    """Render a finished step of the session flow."""
    if step.skipped:
        yield [(f"- {step.name:<22}{'':>11}  {step.detail}", "dim")]
        return
    mark: Span = ("✓ ", "green") if step.ok else ("✗ ", "bold red")
    yield [
        mark,
        (f"{step.name:<22}", ""),
        (f"{step.seconds * 1000:>8.1f} ms  ", "dim"),
        (step.detail, "" if step.ok else "red"),
    ]


def flow_summary(report: FlowReport) -> Iterator[Line]:
    """Render the result of the flow in a sentence."""
    from pawsctl.plurals import plural

    passed = sum(step.ok for step in report.steps)
    seconds = sum(step.seconds for step in report.steps)
    style = "bold green" if report.ok else "bold red"
    skipped = sum(step.skipped for step in report.steps)
    not_run = f", {skipped} not run" if skipped else ""
    yield [
        (f"{passed} of {plural(len(report.steps), 'step')} passed{not_run}", style),
        (f" in {seconds:.1f} s against {report.target}", ""),
    ]


def of_steps(steps: Sequence[StepResult]) -> Report:
    """Return the report of the session flow, with a case for each step."""
    from pawsctl.cli.output.ci_reports import Case, Report

    cases = [
        Case(each.name, each.ok, each.detail, each.seconds, skipped=each.skipped) for each in steps
    ]
    return Report("test-session", sum(each.seconds for each in cases), cases)
