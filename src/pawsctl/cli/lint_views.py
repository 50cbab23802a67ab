"""What a person sees of `session lint`. Nothing here writes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING

from pawsctl.cli.text import Column, Line, Span
from pawsctl.cli.views import plural

if TYPE_CHECKING:
    from pawsctl.sessions.linting import Finding, LintReport

FINDING_COLUMNS: tuple[Column[Finding], ...] = (
    Column("PHONE", lambda row: (row.phone, "cyan")),
    Column("RULE", lambda row: (row.rule, "red")),
    Column("WHAT IS WRONG", lambda row: (row.message, "")),
)


def summary(report: LintReport) -> Iterator[Line]:
    """Notes, and how many sessions were checked and break a rule."""
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
        yield [(checked, ""), ("nothing is wrong with them, and not all could be", "bold yellow")]
        return
    noted = {each.rule for each in report.notes}
    found = sum(each.findings for each in report.rules if each.rule not in noted)
    yield [(checked, ""), (f"{plural(found, 'finding')} in {report.broken:,} of them", "bold red")]
