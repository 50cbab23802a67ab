"""`pawsctl session lint`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pawsctl.cli.arguments import require_writable
from pawsctl.cli.global_options import ListCommand, invocation
from pawsctl.cli.output.table import Column, Line, Span
from pawsctl.cli.output.units import plural
from pawsctl.cli.session.group import app
from pawsctl.errors import ExitStatus

if TYPE_CHECKING:
    from pawsctl.cli.output.ci_reports import Report
    from pawsctl.sessions.lint import Lint, LintFinding, LintReport


@app.command(cls=ListCommand)
def lint(
    ctx: typer.Context,
    rule: Annotated[
        list[str] | None,
        typer.Option("--rule", metavar="ID", help="Check only this rule; may be repeated."),
    ] = None,
    ignore: Annotated[
        list[str] | None,
        typer.Option("--ignore", metavar="ID", help="Skip this rule; may be repeated."),
    ] = None,
    junit: Annotated[
        Path | None, typer.Option("--junit", metavar="FILE", help="Also write a JUnit report.")
    ] = None,
) -> None:
    """Check that every session is stored as the bot expects.

    Exits with 1 if a session breaks a rule.
    """
    from pawsctl.cli.output import ci_reports
    from pawsctl.sessions import lint as operation

    run = invocation(ctx)
    require_writable(junit)
    wanted = operation.chosen(rule or (), ignore or ())
    with run.reader(partial=True) as store:
        check = operation.Lint(store, wanted)
        run.output.report(
            check.findings(),
            FINDING_COLUMNS,
            name="findings",
            fields=operation.LintFinding.__struct_fields__,
            summary=check.report,
            view=lambda: lint_summary(check.report()),
        )
    ci_reports.publish(of_lint(check), junit=junit, environ=os.environ, output=run.output)
    if not check.report().ok:
        raise typer.Exit(ExitStatus.FAILED)


FINDING_COLUMNS: tuple[Column[LintFinding], ...] = (
    Column("PHONE", lambda row: (row.phone, "cyan")),
    Column("RULE", lambda row: (row.rule, "red")),
    Column("WHAT IS WRONG", lambda row: (row.message, "")),
)


def lint_summary(report: LintReport) -> Iterator[Line]:
    """Render the notes, and how many sessions were checked and break a rule."""
    counts = {each.rule: each.findings for each in report.rules}
    for rule, notes in groupby(report.notes, lambda each: each.rule):
        shown = list(notes)
        for each in shown:
            mark: Span = ("! ", "yellow") if each.level == "warning" else ("- ", "dim")
            text = f"  {each.level}: {each.message}"
            yield [mark, (each.phone or each.key, "cyan"), (f"  {rule}", "bold"), (text, "")]
        if counts[rule] > len(shown):
            yield [(f"  … and {counts[rule] - len(shown):,} more notes of {rule}", "dim")]
    checked = f"{plural(report.checked, 'session')} in {report.url} checked: "
    if report.ok:
        yield [(checked, ""), ("nothing is wrong", "bold green")]
        return
    if not report.broken:
        yield [(checked, ""), ("no findings, but the check is incomplete", "bold yellow")]
        return
    noted = {each.rule for each in report.notes}
    found = sum(each.findings for each in report.rules if each.rule not in noted)
    yield [(checked, ""), (f"{plural(found, 'finding')} in {report.broken:,} of them", "bold red")]


def of_lint(lint: Lint) -> Report:
    """Return the report of a lint: a case for each rule, with the first sessions that break it."""
    from pawsctl.cli.output.ci_reports import Case, Report

    checked = lint.report()
    cases = []
    for rule, count in zip(lint.wanted, checked.rules, strict=True):
        examples = lint.examples[rule.id]
        more = [f"{each.phone}: {each.message}" for each in examples]
        if count.findings > len(examples):
            more.append(f"… and {count.findings - len(examples)} more")
        found, sessions = plural(count.findings, "finding"), plural(checked.checked, "session")
        detail = f"{found} in {sessions}: {rule.about}"
        is_ok = not count.findings or rule.level != "problem"
        cases.append(Case(rule.id, is_ok, detail, more=more))
    return Report("session lint", lint.seconds, cases)
