"""`pawsctl session lint`."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from pawsctl.cli.arguments import JUnit, require_writable
from pawsctl.cli.global_options import ListCommand, invocation
from pawsctl.cli.output.table import Column, Line, Span
from pawsctl.cli.session.group import app
from pawsctl.errors import ExitStatus
from pawsctl.plurals import plural

if TYPE_CHECKING:
    from pawsctl.cli.output.ci_reports import Report
    from pawsctl.errors import PawsctlError
    from pawsctl.sessions.lint import Lint, LintFinding, LintReport


def _rules() -> list[str]:
    from pawsctl.sessions.contract import rules

    return [rule.id for rule in rules.RULES]


class LintCommand(ListCommand):
    """A command whose options name rules."""

    values: ClassVar = {"--rule": _rules, "--ignore": _rules}


@app.command(cls=LintCommand)
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
    junit: JUnit = None,
) -> None:
    """Check that every session is stored as the bot expects.

    Exits with 1 if a session breaks a rule.
    """
    from pawsctl.cli.output import ci_reports
    from pawsctl.cli.session.views.raw_view import (
        format_hint,
        is_of_another_format,
        left_out,
        titled,
    )
    from pawsctl.sessions import lint as operation
    from pawsctl.sessions.query import absent, replica

    run = invocation(ctx)
    require_writable(junit)
    wanted = operation.chosen(run.keyspace, rule or (), ignore or ())
    reports = ci_reports.Reports(junit, run.output)
    store = run.reader(partial=True)
    check = operation.Lint(store, wanted)
    with reports.of_failure(lambda error: of_lint(check, error)), store:
        run.output.report(
            check.findings(),
            titled(FINDING_COLUMNS, store.keyspace),
            name="findings",
            fields=operation.LintFinding.__struct_fields__,
            summary=check.report,
            view=lambda: lint_summary(check.report()),
        )
        if others := left_out(store.left_out_texts()):
            run.output.note(others)
        run.output.advise(lambda: "" if check.report().checked else absent.elsewhere(store))
        if shortfall := replica.shortfall(store.connection):
            run.output.warn(shortfall)
    if any(each.rule == "long-ttl" and each.findings for each in check.report().rules):
        run.output.advise(lambda: run.session_settings.doubt_on_ttl)
    found = check.report()
    strange = sum(each.findings for each in found.rules if is_of_another_format(each.rule))
    # A value that is no UTF-8 may break two of the rules.
    run.output.advise(lambda: format_hint(run, min(strange, found.broken), found.checked))
    reports.publish(of_lint(check))
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


def of_lint(lint: Lint, error: PawsctlError | None = None) -> Report:
    """Return the report of a lint: a case for each rule, with the first sessions that break it.

    `error` is why not every session was checked: a rule that none was seen to break is skipped.
    """
    from pawsctl.cli.output.ci_reports import Case, Report

    checked = lint.report()
    cases = []
    if error is not None:
        cases.append(Case("every session is read", False, error.message, more=[error.hint]))
    for rule, count in zip(lint.wanted, checked.rules, strict=True):
        examples = lint.examples[rule.id]
        more = [f"{each.phone}: {each.message}" for each in examples]
        if count.findings > len(examples):
            more.append(f"… and {count.findings - len(examples)} more")
        found, sessions = plural(count.findings, "finding"), plural(checked.checked, "session")
        detail = f"{found} in {sessions}: {rule.about}"
        is_ok = not count.findings or rule.level != "problem"
        skipped = error is not None and is_ok
        cases.append(Case(rule.id, is_ok and not skipped, detail, more=more, skipped=skipped))
    return Report("session lint", lint.seconds, cases)
