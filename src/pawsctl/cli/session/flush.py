"""`pawsctl session flush`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from pawsctl.cli.arguments import Confirm, DryRun, NoBackup, Yes
from pawsctl.cli.confirm.guard import confirm_sessions
from pawsctl.cli.confirm.undo import undo_of
from pawsctl.cli.global_options import invocation
from pawsctl.cli.output.table import Line
from pawsctl.cli.session.filter_options import FilteringCommand, chosen_filter
from pawsctl.cli.session.group import app
from pawsctl.plurals import plural

if TYPE_CHECKING:
    from pawsctl.config.target import Target
    from pawsctl.sessions.contract.keyspace import Keyspace
    from pawsctl.sessions.edit.flush import Flushed, FlushPlan


@app.command(cls=FilteringCommand)
def flush(
    ctx: typer.Context,
    *,
    include_seen: Annotated[
        bool, typer.Option("--include-seen", help="Also delete wh:seen:* marks.")
    ] = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    no_backup: NoBackup = False,
    confirm: Confirm = "",
) -> None:
    """Delete all sessions, or those that match the filters.

    Deletes no other keys. Deleted sessions are kept for a day, and 'backup restore' brings them
    back. A session that changes meanwhile is not deleted. With --no-backup nothing is kept, and
    a session that changes at that very moment may be deleted.
    """
    from pawsctl.safety.backups import delete
    from pawsctl.sessions.edit import flush as operation
    from pawsctl.sessions.query import absent

    run = invocation(ctx)
    wanted = chosen_filter(ctx)
    undo = undo_of(run, "flush", no_backup=no_backup, yes=yes)
    with run.store(dry_run=dry_run) as store:
        target = store.connection.target
        planned = operation.planned(
            store, wanted, include_seen=include_seen, counted=dry_run or not yes
        )
        plan = planned.plan
        if plan is not None and dry_run:
            run.output.show(plan, lambda each: flush_plan(each, store.keyspace))
            run.output.advise(lambda: "" if plan.total else absent.lead(store, wanted))
            return
        about = flush_plan(plan, store.keyspace) if plan is not None else flush_target(target)
        confirm_sessions(run, store, about, host=confirm, yes=yes, question="Delete them?")
        flushed = delete.flush(store, planned, undo=undo, progress=run.output.progress)
        run.count(deleted=flushed.deleted, changed=flushed.changed, unknown=flushed.unknown)
        run.output.show(flushed, flushed_view)
        run.output.advise(
            lambda: "" if flushed.deleted + flushed.changed else absent.lead(store, wanted)
        )
        delete.require_unchanged(flushed.changed)


def flush_target(target: Target) -> Iterator[Line]:
    """Render the URL of the Redis in which a flush deletes, and its origin."""
    yield [("in ", ""), (target.url, "bold"), (f" (from {target.origin})", "")]


def flush_plan(plan: FlushPlan, keyspace: Keyspace) -> Iterator[Line]:
    """Render the keys that a flush would delete, by kind, and the URL."""
    yield [("in ", ""), (plan.url, "bold"), (f" (from {plan.origin}):", "")]
    yield [(f"  {plural(plan.sessions, 'session')}", "")]
    for prefix, count in (plan.longer_prefixes or {}).items():
        verb = "is" if count == 1 else "are"
        yield [(f"  of all these keys, {count:,} {verb} under {prefix}", "yellow")]
    for kind, count in plan.others.items():
        yield [(f"  {plural(count, 'key')} of type {kind} under {keyspace.prefix}", "yellow")]
    for kind, count in (plan.left_out or {}).items():
        left = f"  left as they are: {plural(count, 'key')} of type {kind} under {keyspace.prefix}"
        yield [(left, "yellow")]
    if plan.seen:
        yield [(f"  {plural(plan.seen, 'seen mark')}", "")]


def flushed_view(result: Flushed) -> Iterator[Line]:
    """Render how many keys a flush deleted."""
    yield [(f"Deleted {plural(result.deleted, 'key')} in {result.url}.", "")]
    if result.unknown:
        yield [(f"Up to {result.unknown} more: a server went away before it had answered.", "")]
    for kind, count in (result.left_out or {}).items():
        yield [(f"  left as they are: {plural(count, 'key')} of type {kind}", "yellow")]
    if result.changed:
        changed = plural(result.changed, "session")
        yield [(f"{changed} changed while a backup was made, and stayed.", "yellow")]
    for kind, count in result.others.items():
        yield [(f"  {plural(count, 'key')} of type {kind} among them", "yellow")]
