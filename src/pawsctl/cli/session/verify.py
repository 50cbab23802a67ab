"""`pawsctl session verify`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer

from pawsctl.cli.arguments import Source
from pawsctl.cli.global_options import ABOUT_CONNECTIONS, Command, invocation
from pawsctl.cli.output.units import moment, size
from pawsctl.cli.session.group import app
from pawsctl.plurals import plural

if TYPE_CHECKING:
    from pawsctl.cli.output.table import Line
    from pawsctl.workflows.verify import Verified


class VerifyCommand(Command):
    """A command on a file: it connects to no Redis of the user."""

    untaken = ABOUT_CONNECTIONS
    reaches = "restores into a server of its own"


@app.command(cls=VerifyCommand)
def verify(ctx: typer.Context, file: Source) -> None:
    """Verify an archive by restoring it into a temporary server.

    Compares every byte and TTL. Needs the embedded server, and as much memory as the sessions take.
    No other Redis is touched.
    """
    from pawsctl.cli.session import export
    from pawsctl.sessions.archive import read
    from pawsctl.workflows import verify as operation

    run = invocation(ctx)
    with (
        read.opened(file) as archive,
        run.output.progress("verifying", archive.count) as progress,
    ):
        verified = operation.verify(archive, progress=progress)
        masked = archive.masked()
    run.output.show(verified, verified_view)
    if masked:
        run.output.warn(f"The archive {masked}.")
    for warning in export.emptiness(verified.sessions):
        run.output.warn(warning)


def verified_view(result: Verified) -> Iterator[Line]:
    """Render how many sessions were restored and compared, and from which archive."""
    yield [
        ("✓ ", "green"),
        (f"{plural(result.sessions, 'session')} restored and compared", "bold"),
        (": every byte, every TTL", ""),
    ]
    yield [(f"from {result.source}, {moment(result.exported_at)}", "")]
    yield [(f"{size(result.bytes)} of values, {result.checksum}", "dim")]
    if result.expired:
        some = "all" if result.expired == result.sessions else str(result.expired)
        yield [(f"An import now would leave out {some} of them: their time is over.", "yellow")]
