"""`pawsctl health`: check whether Redis can serve the bot, for people and probes."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from pawsctl.cli.arguments import JUnit, require_writable, waiting_time
from pawsctl.cli.global_options import Command, invocation
from pawsctl.errors import ExitStatus

if TYPE_CHECKING:
    from pawsctl.cli.output.ci_reports import Report
    from pawsctl.cli.output.table import Line, Span
    from pawsctl.server.health import Check, Health


app = typer.Typer(add_completion=False, rich_markup_mode=None)

# The last check of those that --wait repeats gets this long, however little time is left.
_LEAST_SECONDS = 1.0


def checks_beginning_with(incomplete: str) -> list[str]:
    """Return the names that complete what was typed of one."""
    from pawsctl.server.health import KINDS

    return [each for each in KINDS if each.startswith(incomplete)]


def known_checks(names: list[str] | None) -> list[str]:
    """Return the checks of these names, or of the words that the report has for them.

    A name may have several, with commas between. Raises BadParameter for one that is no check.
    """
    if not names:
        return []
    from pawsctl.server.health import KINDS, NAMES

    kinds = {words: kind for kind, words in NAMES.items()}
    typed = [word.strip() for name in names for word in name.split(",")]
    checks = [kinds.get(word, word) for word in typed]
    for check in checks:
        if check not in KINDS:
            raise typer.BadParameter(f"'{check}' is not one of {', '.join(KINDS)}.")
    return checks


@app.command("health", cls=Command)
def health_(
    ctx: typer.Context,
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only",
            metavar="CHECK",
            callback=known_checks,
            autocompletion=checks_beginning_with,
            help="Make only this check (answers, reads, writes, slots or failover); "
            "may be repeated.",
        ),
    ] = None,
    wait: Annotated[
        float | None,
        typer.Option(
            "--wait",
            metavar="TIME",
            parser=waiting_time,
            help="Check again until Redis is healthy, for this long, such as 60s.",
        ),
    ] = None,
    junit: JUnit = None,
) -> None:
    """Check that every primary answers and allows reads and writes.

    Also checks that a cluster serves every slot, and that enough Sentinels answer for a failover.
    Writes nothing. --timeout applies to the whole check. Exits with 1 if a check fails, with 5 if
    Redis can't be reached; with --wait, the last check counts.
    """
    from pawsctl import attempts
    from pawsctl.cli.output import ci_reports
    from pawsctl.server import health

    run = invocation(ctx)
    if run.settings.read_only:
        run.output.note("Read-only: whether Redis takes writes is not checked.")
    require_writable(junit)
    reports = ci_reports.Reports(junit, run.output)
    kinds = [each for each in health.KINDS if each in (only or ())]

    ends = time.monotonic() + wait if wait else math.inf

    def attempt() -> Health:
        left = max(_LEAST_SECONDS, round(ends - time.monotonic(), 1))
        timeouts = run.timeouts().at_most(left, "--wait").for_all()
        with run.connect(timeouts=timeouts) as connection:
            return health.check(connection, run.keyspace, kinds)

    with reports.of_failure(lambda error: of_checks(health.unconnected(error, kinds))):
        found = attempts.until_ok(
            attempt,
            seconds=wait or 0,
            wrong_with=failed_check,
            tell=lambda reason: run.output.note(f"Waiting until it is healthy: {reason}"),
        )
    run.output.show(found, health_view)
    reports.publish(of_checks(found.checks))
    if not found.ok:
        run.output.advise(lambda: "'pawsctl doctor' says what to do about it.")
        raise typer.Exit(ExitStatus.FAILED)


def failed_check(found: Health) -> str:
    """Return the first check that failed and why, or ''."""
    return next((f"{each.name}: {each.detail}" for each in found.checks if not each.ok), "")


def health_view(found: Health) -> Iterator[Line]:
    """Render a line for each check, and the overall result."""
    for check in found.checks:
        if check.skipped:
            yield [(f"- {check.name}  {check.detail}", "dim")]
            continue
        mark: Span = ("✓ ", "green") if check.ok else ("✗ ", "bold red")
        yield [
            mark,
            (check.name, ""),
            (f"  {check.seconds * 1000:.1f} ms", "dim"),
            (f"  {check.detail}" if check.detail else "", "" if check.ok else "red"),
        ]
    word: Span = ("healthy", "bold green") if found.ok else ("unhealthy", "bold red")
    yield [word, (f": {found.url}", "")]


def of_checks(checks: Sequence[Check]) -> Report:
    """Return the report for CI, with a case for each check."""
    from pawsctl.cli.output.ci_reports import Case, Report

    cases = [
        Case(each.name, each.ok, each.detail, each.seconds, skipped=each.skipped) for each in checks
    ]
    return Report("health", sum(each.seconds for each in cases), cases)
