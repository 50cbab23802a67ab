"""Commands on archives of sessions: `export`, `import`, `verify`."""

from pathlib import Path
from typing import Annotated

import typer

from pawsctl.cli.arguments import Confirm, DryRun
from pawsctl.cli.confirm import confirm_on
from pawsctl.cli.options import Command, invocation
from pawsctl.cli.session.group import app

Source = Annotated[
    str, typer.Argument(metavar="FILE|-", help="What 'session export' made; - is stdin.")
]


@app.command("export", cls=Command)
def export_(
    ctx: typer.Context,
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE|-", help="Compressed where it ends in .gz; - writes to stdout."
        ),
    ],
    *,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that exists.")] = False,
) -> None:
    """Write every session, with its moment of expiry, to a file that import reads.

    The file appears when it is whole; only you may read it. One that exists is replaced only with
    --force.
    """
    from pawsctl.cli import archive_views
    from pawsctl.sessions.archive import export

    run = invocation(ctx)
    with run.reader() as store, run.output.progress("exporting", None) as progress:
        if file == "-":
            exported = export.to_stream(store, run.output.binary(), progress)
        else:
            exported = export.to_file(store, Path(file), progress, overwrite=force)
    if exported.file is None:
        run.output.flush()
        run.output.note(archive_views.exported_text(exported))
    else:
        run.output.show(exported, archive_views.exported)
    for warning in archive_views.export_warnings(exported):
        run.output.warn(warning)


@app.command("import", cls=Command)
def import_(
    ctx: typer.Context,
    file: Source,
    *,
    replace: Annotated[
        bool, typer.Option("--replace", help="Write over sessions that exist; else they are kept.")
    ] = False,
    dry_run: DryRun = False,
    confirm: Confirm = "",
) -> None:
    """Write an archive's sessions back, each with the time it has left.

    What has expired is left out, what exists is kept as it is. Nothing is written from an archive
    that is cut short or was changed.
    """
    from pawsctl.cli import archive_views
    from pawsctl.sessions.archive import reading, restore

    run = invocation(ctx)
    with run.store() as store, reading.opened(file) as archive:
        if replace and not dry_run:
            confirm_on(run.output, store.connection, (), yes=True, host=confirm)
        with run.output.progress("importing", archive.count) as progress:
            imported = restore.restore(
                store, archive, replace=replace, dry_run=dry_run, progress=progress
            )
    run.output.show(imported, archive_views.imported)
    restore.require_all_taken(imported)


@app.command(cls=Command)
def verify(ctx: typer.Context, file: Source) -> None:
    """Prove an archive: restore it into a server of its own, and compare every byte and TTL.

    Needs the embedded server, and as much memory as the sessions take; no other Redis is touched.
    """
    from pawsctl.backup import verifying
    from pawsctl.cli import archive_views
    from pawsctl.sessions.archive import reading

    run = invocation(ctx)
    with (
        reading.opened(file) as archive,
        # Once to write, once to compare.
        run.output.progress("verifying", 2 * archive.count) as progress,
    ):
        verified = verifying.verify(archive, progress=progress)
    run.output.show(verified, archive_views.verified)
    for warning in archive_views.emptiness(verified.sessions):
        run.output.warn(warning)
