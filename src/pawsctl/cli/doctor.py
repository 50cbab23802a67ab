"""`pawsctl doctor`: find faults, and say how to fix them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec.structs import replace

from pawsctl.cli.global_options import Command, invocation
from pawsctl.errors import ExitStatus

if TYPE_CHECKING:
    from pawsctl.cli.context import Invocation
    from pawsctl.cli.output.table import Line, Span
    from pawsctl.workflows.doctor.finding import Diagnosis, Finding, State


app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command("doctor", cls=Command)
def doctor(
    ctx: typer.Context,
    *,
    bundle: Annotated[
        Path | None,
        typer.Option(
            "--bundle",
            metavar="FILE.tar.gz",
            help="Also write a support bundle; passwords, phones and texts are redacted.",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing bundle.")] = False,
) -> None:
    """Diagnose problems and suggest fixes.

    Checks Docker, this project's containers and port, the settings, the connection to Redis, the
    server and every session, in this order, up to the first failure; and checks the bot. Changes
    nothing. Exits with 1 if a check fails.
    """
    from pawsctl.cli.arguments import require_writable
    from pawsctl.workflows.doctor import check_network, examine
    from pawsctl.workflows.support_bundle import bundle as bundling

    run = invocation(ctx)
    require_writable(bundle)
    if bundle is not None:
        bundling.require_new(bundle, overwrite=force)
    told = run.output.live(finding_view)
    found = examine.examine(
        lambda: run.settings,
        run.reader,
        done=lambda finding: told(_shown(run, finding)),
        patience=run.connect_timeout or check_network.PATIENCE,
    )
    shown = replace(found, findings=[_shown(run, each) for each in found.findings])
    run.output.show(shown, doctor_summary)
    if bundle is not None:
        bundling.write(bundle, found, lambda: run.settings, run.reader, overwrite=force)
        run.output.note(f"Wrote {bundle}: read it before you hand it on.")
    if not found.ok:
        raise typer.Exit(ExitStatus.FAILED)


_MARKS: dict[State, Span] = {
    "ok": ("✓ ", "green"),
    "warning": ("! ", "yellow"),
    "failed": ("✗ ", "bold red"),
    "skipped": ("- ", "dim"),
}


def _shown(run: Invocation, found: Finding) -> Finding:
    """Return a finding as it is shown: with a mask, without what its log lines quote."""
    mask = run.output.mask
    if mask is None:
        return found
    first, *log = found.detail.split("\n")
    if found.name in ("bot", "settings"):
        # The bot's answer, and what was set or typed, may hold anything; it is quoted.
        detail = mask.clause(found.detail)
    else:
        detail = "\n".join([mask.sentence(first), *map(mask.log_line, log)])
    return replace(found, detail=detail, hint=mask.sentence(found.hint))


def finding_view(found: Finding) -> Iterator[Line]:
    """Render a finding: a line for its result, then log lines and the hint."""
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


def doctor_summary(found: Diagnosis) -> Iterator[Line]:
    """Render the number of failures and warnings, and what was not examined."""
    from pawsctl.plurals import plural

    states = [each.state for each in found.findings]
    failed, warnings = states.count("failed"), states.count("warning")
    # A stack of this project that the session commands do not use need not be examined.
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
