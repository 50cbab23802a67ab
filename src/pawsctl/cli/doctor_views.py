"""What a person sees of an examination. Nothing here writes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pawsctl.cli.views import plural

if TYPE_CHECKING:
    from pawsctl.cli.text import Line, Span
    from pawsctl.doctor.findings import Diagnosis, Finding, State

_MARKS: dict[State, Span] = {
    "ok": ("✓ ", "green"),
    "warning": ("! ", "yellow"),
    "failed": ("✗ ", "bold red"),
    "skipped": ("- ", "dim"),
}


def finding(found: Finding) -> Iterator[Line]:
    """A line for what was found, and one for what to do about it."""
    mark, style = _MARKS[found.state]
    line: list[Span] = [(mark, style), (found.name, "bold")]
    detail, *log = found.detail.split("\n")
    if detail:
        line.append((f"  {detail}", "" if found.state == "ok" else style))
    yield line
    for each in log:
        yield [(f"  | {each}", "dim")]
    if found.hint:
        yield [(f"  → {found.hint}", "dim")]


def summary(found: Diagnosis) -> Iterator[Line]:
    """How many findings need somebody."""
    states = [each.state for each in found.findings]
    failed, warnings = states.count("failed"), states.count("warning")
    # A stack of ours that is not what is used need not be looked at.
    left_out = [
        each.name for each in found.findings if each.state == "skipped" and each.name != "stack"
    ]
    rest: Line = [(f"; not looked at: {', '.join(left_out)}", "yellow")] if left_out else []
    if failed or warnings:
        style = "bold red" if failed else "bold yellow"
        yield [(f"{plural(failed, 'failure')}, {plural(warnings, 'warning')}", style), *rest]
    elif rest:
        yield [("no failure found", "bold yellow"), *rest]
    else:
        yield [("nothing is wrong", "bold green")]
