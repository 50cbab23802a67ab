"""Commands that judge all sessions at once: `stats`, `lint`."""

from typing import TYPE_CHECKING

import typer

from pawsctl.cli.options import Command, invocation, lazy
from pawsctl.cli.session.group import app

if TYPE_CHECKING:
    from pawsctl.cli import stats_views
    from pawsctl.sessions import overview
else:
    stats_views = lazy("pawsctl.cli.stats_views")
    overview = lazy("pawsctl.sessions.overview")


@app.command(cls=Command)
def stats(ctx: typer.Context) -> None:
    """Show sessions at a glance: how many, how long they live, how large they are, what fits."""
    run = invocation(ctx)
    with run.store() as store:
        run.output.show(overview.gather(store), stats_views.overview)
