"""`pawsctl backup restore`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer

from pawsctl.cli.backup.group import Latest, Name, app, place_of
from pawsctl.cli.global_options import Command, invocation
from pawsctl.cli.output.units import plural

if TYPE_CHECKING:
    from pawsctl.cli.output.table import Line
    from pawsctl.safety.backups.restore import Restored


@app.command(cls=Command)
def restore(ctx: typer.Context, name: Name = "", *, latest: Latest = False) -> None:
    """Bring back what a backup holds.

    Sessions keep their expiry times; expired ones are skipped. A session that exists is left as it
    is. The backup stays. A backup from another Redis than the settings name needs --url.
    """
    from pawsctl.safety.backups import restore as operation
    from pawsctl.sessions.archive import read

    run = invocation(ctx)
    place = place_of(name, latest=latest)
    with run.store() as store, read.opened(str(place.path)) as archive:
        operation.require_target(archive, store.connection.target)
        with run.output.progress("restoring", archive.count) as progress:
            restored = operation.restore(store, archive, place.name, progress=progress)
    run.output.show(restored, restored_view)
    operation.require_all(restored)


def restored_view(result: Restored) -> Iterator[Line]:
    """Render how many keys were restored, left or expired."""
    yield [
        (f"Restored {plural(result.restored, 'key')} ", "bold"),
        (f"into {result.url} from {result.backup}; ", ""),
        (f"{result.kept} exist and were left, {result.expired} expired.", ""),
    ]
    for each in result.reasons:
        yield [(f"! line {each.line}: {each.reason}", "red")]
    if result.evicted:
        evicted = plural(result.evicted, "key")
        yield [(f"! Redis evicted {evicted} meanwhile: its memory is full", "red")]
