"""`pawsctl session repair`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from pawsctl.cli.arguments import (
    Confirm,
    DryRun,
    NoBackup,
    OptionalPhones,
    Yes,
    is_single,
    phone_keys,
)
from pawsctl.cli.confirm.dry_run import warn_of_refusal
from pawsctl.cli.confirm.guard import confirm_sessions
from pawsctl.cli.confirm.undo import undo_of
from pawsctl.cli.global_options import Command, invocation
from pawsctl.cli.output.table import Line
from pawsctl.cli.session.group import app
from pawsctl.errors import UsageError
from pawsctl.plurals import plural

if TYPE_CHECKING:
    from pawsctl.config.target import Target
    from pawsctl.sessions.repair.repair import Repair

# Sessions whose difference is shown before the question; --dry-run shows all.
_SHOWN = 20
# Characters of a message.
_LONGEST = 400


def _require_choice(phones: Sequence[str], *, every: bool) -> None:
    if every and phones:
        raise UsageError(
            "--all means every session, and phones were named.", hint="Leave one of them out."
        )
    if not every and not phones:
        raise UsageError(
            "No session is named.", hint="Name phones, or give --all for every broken session."
        )


@app.command(cls=Command)
def repair(
    ctx: typer.Context,
    phones: OptionalPhones = None,
    *,
    every: Annotated[
        bool, typer.Option("--all", help="Repair every session that the bot can't answer.")
    ] = False,
    cut: Annotated[
        bool, typer.Option("--cut", help="Cut the history off before its first fault instead.")
    ] = False,
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help="Also repair sessions updated in the last 2 minutes: the bot may be at work.",
        ),
    ] = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    no_backup: NoBackup = False,
    confirm: Confirm = "",
) -> None:
    """Repair conversations that the bot can't answer any more.

    A tool call without a result gets an error as its result, a late result moves beside its
    call, and what the bot's model refuses is removed. The TTL and all other bytes stay. A
    session that changes meanwhile is left as it is. The old version is kept for a day, and
    'backup restore' brings it back.
    """
    from pawsctl.cli.session.views.raw_view import format_hint
    from pawsctl.safety.backups.keep import keep_keys
    from pawsctl.sessions.query import replica
    from pawsctl.sessions.repair import repair as operation

    run = invocation(ctx)
    _require_choice(phones or (), every=every)
    undo = undo_of(run, "repair", no_backup=no_backup, yes=yes)
    how = operation.How(cut=cut, force=force)
    run.keyspace.require_bots("'session repair'")
    names = phone_keys(phones or (), run.keyspace, exact=True)
    single = is_single(phones or ())
    with run.store(dry_run=dry_run) as store:
        if every:
            with run.output.progress("looking", None) as progress:
                plans = operation.planned_for_all(store, how, progress)
        else:
            plans = operation.planned(store, names, how)
        rows = [each.row for each in plans]
        if not dry_run:
            if broken := [each for each in plans if each.row.state == "repairable"]:
                keys = [each.key for each in broken]
                confirm_sessions(
                    run,
                    store,
                    repair_plan(store.connection.target, [each.row for each in broken]),
                    host=confirm,
                    yes=yes,
                    question="Repair it?" if len(broken) == 1 else "Repair them?",
                    keys=keys,
                    typed=phones or (),
                )
                keep_keys(store, keys, undo, run.output.progress)
            rows = operation.repair(store, plans)
            run.count(repaired=sum(each.state == "repaired" for each in rows))
        else:
            warn_of_refusal(run, store)
            if refusal := operation.refusal(store, plans):
                run.output.warn(refusal)
        run.output.each(
            rows,
            item=lambda row: row,
            view=lambda row: repair_view(row, full=dry_run),
            single=single,
        )
        if every and (shortfall := replica.shortfall(store.connection)):
            run.output.warn(shortfall)
        run.output.advise(
            lambda: f"No session in {store.connection.target.url} needs repair." * (not rows)
        )
        beyond = sum(each.state == "beyond_repair" for each in rows)
        run.output.advise(lambda: format_hint(run, beyond, len(rows)))
        operation.require_repaired(store, plans, rows, dry_run=dry_run)


def repair_plan(target: Target, rows: Sequence[Repair]) -> Iterator[Line]:
    """Render where sessions would be repaired, and the difference that makes."""
    yield [("in ", ""), (target.url, "bold"), (f" (from {target.origin}):", "")]
    for row in rows[:_SHOWN]:
        yield [(row.phone or row.key, "cyan")]
        yield from _difference(row)
    if len(rows) > _SHOWN:
        more = plural(len(rows) - _SHOWN, "more session")
        yield [(f"… and {more}, which --dry-run shows", "")]


def repair_view(row: Repair, *, full: bool) -> Iterator[Line]:
    """Render what became of a session, or would become of it; `full` adds the difference."""
    style = {"repaired": "green", "repairable": "yellow", "nothing_to_repair": ""}
    state = row.state.replace("_", " ")
    why = f": {row.why}" if row.why else ""
    yield [(row.phone or row.key, "cyan"), (f"  {state}", style.get(row.state, "red")), (why, "")]
    if full:
        yield from _difference(row)
    else:
        for change in row.changes:
            yield [(f"  message {change.message} {change.what}", "")]
    for problem in row.problems:
        yield [(f"  ! not repaired: {problem}", "yellow")]


def _difference(row: Repair) -> Iterator[Line]:
    for change in row.changes:
        yield [(f"  message {change.message} {change.what} ", ""), (f"({change.rule})", "dim")]
    for each in row.difference:
        text = each.text if len(each.text) <= _LONGEST else f"{each.text[:_LONGEST]}…"
        style = "red" if each.mark == "-" else "green"
        yield [(f"  {each.mark} {each.message:>3}  {text}", style)]
