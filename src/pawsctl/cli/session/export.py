"""`pawsctl session export`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pawsctl.cli.global_options import Command, invocation
from pawsctl.cli.output.units import size
from pawsctl.cli.session.group import app
from pawsctl.plurals import plural

if TYPE_CHECKING:
    from pawsctl.cli.output.table import Line
    from pawsctl.sessions.archive.export import Exported
    from pawsctl.sessions.contract.keyspace import Keyspace


@app.command("export", cls=Command)
def export_(
    ctx: typer.Context,
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE|-",
            help="File to write, compressed if it ends in .gz, else plain; - writes to stdout.",
        ),
    ],
    *,
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")] = False,
) -> None:
    """Export all sessions to a file.

    The archive includes expiry times; 'session import' restores it. The file appears when it is
    complete, and only you may read it. An existing file is overwritten only with --force.
    """
    from pawsctl.sessions.archive import export
    from pawsctl.sessions.query import absent, replica

    run = invocation(ctx)
    with run.reader() as store, run.output.progress("exporting", None) as progress:
        if file == "-":
            exported = export.to_stdout(store, run.output.binary(), progress)
        else:
            exported = export.to_file(store, Path(file), progress, overwrite=force)
        others = "" if exported.sessions else absent.elsewhere(store)
        shortfall = replica.shortfall(store.connection)
    if exported.file is None:
        run.output.flush()
        run.output.note(exported_text(exported))
    else:
        run.output.show(exported, exported_view)
    for warning in filter(None, [*export_warnings(exported, store.keyspace), shortfall]):
        run.output.warn(warning)
    run.output.advise(lambda: others)


def exported_text(result: Exported) -> str:
    """Return a sentence on what was exported."""
    into = f" to {result.file}" if result.file else ""
    return (
        f"Exported {plural(result.sessions, 'session')} ({size(result.bytes)}) "
        f"of {result.url}{into}."
    )


def exported_view(result: Exported) -> Iterator[Line]:
    """Render what was exported, and to which file."""
    yield [(exported_text(result), "")]


def export_warnings(result: Exported, keyspace: Keyspace) -> Iterator[str]:
    """Yield a warning for an empty archive, and for keys that were left out."""
    yield from emptiness(result.sessions)
    if result.masked and keyspace.mask is None:
        yield "The archive holds masked sessions: their phones and texts are nobody's."
    if result.left_out:
        kinds = [
            f"{plural(count, 'key')} of type {kind}" for kind, count in result.left_out.items()
        ]
        what = f"{', '.join(kinds)} under {keyspace.prefix}"
        yield f"Left out, since only strings are sessions: {what}."


def emptiness(sessions: int) -> Iterator[str]:
    """Yield a warning if the archive holds no session."""
    if not sessions:
        yield "The archive holds 0 sessions: it can bring none back."
