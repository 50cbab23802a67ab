"""`pawsctl session import`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from pawsctl.cli.arguments import Confirm, DryRun, FreshTtl, NoBackup, Source
from pawsctl.cli.confirm.dry_run import warn_of_refusal
from pawsctl.cli.confirm.guard import confirm_sessions, require_no_production
from pawsctl.cli.confirm.undo import undo_of
from pawsctl.cli.global_options import Command, invocation
from pawsctl.cli.session.group import app
from pawsctl.plurals import plural

if TYPE_CHECKING:
    from pawsctl.cli.context import Invocation
    from pawsctl.cli.output.table import Line
    from pawsctl.sessions.archive.read import Archive
    from pawsctl.sessions.archive.restore import Imported
    from pawsctl.sessions.store.store import SessionStore


@app.command("import", cls=Command)
def import_(
    ctx: typer.Context,
    file: Source,
    *,
    replace: Annotated[
        bool, typer.Option("--replace", help="Overwrite existing sessions instead of keeping them.")
    ] = False,
    ttl: FreshTtl = None,
    dry_run: DryRun = False,
    no_backup: NoBackup = False,
    confirm: Confirm = "",
) -> None:
    """Import sessions from an archive.

    Sessions keep their expiry times. Expired sessions are skipped, existing sessions are kept.
    Nothing is written if the archive is truncated or was changed. Sessions that --replace
    overwrites are kept for a day, and 'backup restore' brings them back; a session that changes
    meanwhile is not overwritten.
    """
    from pawsctl.safety.backups import replace as operation
    from pawsctl.sessions.archive import read, restore

    run = invocation(ctx)
    undo = undo_of(run, "import", no_backup=no_backup, yes=False)
    with run.store(dry_run=dry_run) as store, read.opened(file) as archive:
        if masked := archive.masked():
            _warn_of_masked(run, store, archive, masked, dry_run=dry_run, host=confirm)
        if replace and not dry_run:
            confirm_sessions(run, store, host=confirm)
        if not dry_run:
            run.record(store.connection.target)
        how = restore.How(replace=replace, dry_run=dry_run, fresh_ttl=ttl)
        imported = operation.restore(store, archive, how, undo=undo, progress=run.output.progress)
        if dry_run:
            warn_of_refusal(run, store)
    run.count(imported=imported.imported, kept=imported.kept, changed=imported.changed)
    run.output.show(imported, imported_view)
    restore.require_all_taken(imported)


def _warn_of_masked(
    run: Invocation,
    store: SessionStore,
    archive: Archive,
    masked: str,
    *,
    dry_run: bool,
    host: str,
) -> None:
    """Warn of an archive with pseudonyms, as the clause `masked` says.

    Raises NotConfirmed before production. If only some of its sessions may be masked, others may be
    needed there: a `host` that names it confirms.
    """
    what = f"{archive.name} {masked}"
    if not dry_run:
        hint = "Import it where nobody is served, or an archive of sessions that are not masked."
        insisting = not archive.header.masked
        require_no_production(run, store.connection, what, hint, host=host, insisting=insisting)
    run.output.warn(f"{what}.")


def imported_view(result: Imported) -> Iterator[Line]:
    """Render how many sessions were imported, kept, expired, rejected or evicted."""
    verb = "Would import" if result.dry_run else "Imported"
    yield [
        (f"{verb} {plural(result.imported, 'session')} ", "bold"),
        (f"into {result.url}; {result.kept} kept, {result.expired} expired", ""),
        (f", {result.rejected} rejected.", "red") if result.rejected else (".", ""),
    ]
    for each in result.reasons:
        yield [(f"! line {each.line}: {each.reason}", "red")]
    if result.rejected > len(result.reasons):
        yield [(f"! and {result.rejected - len(result.reasons)} more", "red")]
    if result.changed:
        changed = plural(result.changed, "session")
        yield [(f"! {changed} changed while a backup was made, and stayed", "yellow")]
    if result.evicted:
        yield [
            (
                f"! Redis evicted {plural(result.evicted, 'key')} meanwhile: its memory is full",
                "red",
            )
        ]
