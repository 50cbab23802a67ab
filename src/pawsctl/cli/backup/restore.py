"""`pawsctl backup restore`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from pawsctl.cli.arguments import Confirm, FreshTtl, NoBackup, Yes
from pawsctl.cli.backup.group import Latest, Name, app, place_of
from pawsctl.cli.confirm.guard import confirm_sessions, require_no_production
from pawsctl.cli.confirm.undo import undo_of
from pawsctl.cli.global_options import Command, invocation
from pawsctl.plurals import plural

if TYPE_CHECKING:
    from pawsctl.cli.context import Invocation
    from pawsctl.cli.output.table import Line
    from pawsctl.config.target import Target
    from pawsctl.safety.backups.restore import Restored
    from pawsctl.sessions.archive.read import Archive
    from pawsctl.sessions.store.store import SessionStore


@app.command(cls=Command)
def restore(
    ctx: typer.Context,
    name: Name = "",
    *,
    latest: Latest = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Overwrite existing sessions instead of keeping them.")
    ] = False,
    ttl: FreshTtl = None,
    yes: Yes = False,
    no_backup: NoBackup = False,
    confirm: Confirm = "",
) -> None:
    """Bring back what a backup holds.

    Sessions keep their expiry times; expired sessions are skipped. Existing sessions are kept,
    unless the backup was made before they were replaced: then they are replaced again, after
    confirmation and with a backup of their own. The backup stays. If it is from another Redis
    than the settings name, add --url.
    """
    from pawsctl.safety.backups import restore as operation
    from pawsctl.sessions.archive import read
    from pawsctl.sessions.archive.restore import How

    run = invocation(ctx)
    undo = undo_of(run, "restore", no_backup=no_backup, yes=yes)
    place = place_of(run, name, latest=latest)
    with run.store() as store, read.opened(str(place.path)) as archive:
        if operation.require_target(archive, store.connection, place, latest=latest):
            run.output.note(f"The backup is from {archive.header.source}.")
        _warn_of_masked(run, store, archive, host=confirm)
        how = How(replace=replace or operation.replaces(place), fresh_ttl=ttl)
        if how.replace:
            confirm_sessions(
                run,
                store,
                restore_plan(archive, store.connection.target),
                host=confirm,
                yes=yes,
                question="Replace those that exist?",
            )
        run.record(store.connection.target)
        restored = operation.restore(
            store, archive, place, how, undo=undo, progress=run.output.progress
        )
    run.count(restored=restored.restored, kept=restored.kept, changed=restored.changed)
    run.output.show(restored, restored_view)
    operation.require_all(restored)


def _warn_of_masked(run: Invocation, store: SessionStore, archive: Archive, *, host: str) -> None:
    """Warn of masked sessions from another Redis.

    Raises NotConfirmed before production, unless `host` names it.
    """
    if archive.header.source == store.connection.target.url:
        return
    if masked := archive.masked():
        what = f"The backup {masked}"
        hint = "Restore it where nobody is served."
        require_no_production(run, store.connection, what, hint, host=host, insisting=True)
        run.output.warn(f"{what}.")


def restore_plan(archive: Archive, target: Target) -> Iterator[Line]:
    """Render how many keys are about to be restored, and where."""
    yield [(f"{plural(archive.count, 'key')} into ", ""), (target.url, "bold")]


def restored_view(result: Restored) -> Iterator[Line]:
    """Render how many keys were restored, left or expired."""
    yield [
        (f"Restored {plural(result.restored, 'key')} ", "bold"),
        (f"into {result.url} from {result.backup}; ", ""),
        (f"{result.kept} exist and were left, {result.expired} expired.", ""),
    ]
    if result.changed:
        changed = plural(result.changed, "key")
        yield [(f"! {changed} changed while a backup was made, and stayed", "yellow")]
    for each in result.reasons:
        yield [(f"! line {each.line}: {each.reason}", "red")]
    if result.evicted:
        evicted = plural(result.evicted, "key")
        yield [(f"! Redis evicted {evicted} meanwhile: its memory is full", "red")]
