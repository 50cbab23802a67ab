"""What a person sees of `session lint`. Nothing here writes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pawsctl.cli.text import Column, Line
from pawsctl.cli.views import plural

if TYPE_CHECKING:
    from pawsctl.sessions.linting import Finding, LintReport

FINDING_COLUMNS: tuple[Column[Finding], ...] = (
    Column("PHONE", lambda row: (row.phone, "cyan")),
    Column("RULE", lambda row: (row.rule, "red")),
    Column("WHAT IS WRONG", lambda row: (row.message, "")),
)


def summary(report: LintReport) -> Iterator[Line]:
    """How many sessions were checked, and how many of them break a rule."""
    checked = f"{plural(report.checked, 'session')} in {report.url} checked: "
    if report.ok:
        yield [(checked, ""), ("nothing is wrong", "bold green")]
        return
    if not report.broken:
        yield [(checked, ""), ("nothing is wrong with them, and not all could be", "bold yellow")]
        return
    findings = plural(sum(each.findings for each in report.rules), "finding")
    yield [(checked, ""), (f"{findings} in {report.broken:,} of them", "bold red")]
