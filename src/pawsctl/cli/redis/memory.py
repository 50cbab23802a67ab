"""Commands that follow the URL, not this project's own Redis: `memory`, `maxmemory`."""

from typing import Annotated

import typer

from pawsctl.cli.arguments import Confirm, Yes
from pawsctl.cli.confirm import confirm_on
from pawsctl.cli.options import Command, invocation
from pawsctl.cli.redis.group import app


@app.command("memory", cls=Command)
def memory_(ctx: typer.Context) -> None:
    """Show the memory of each primary: used, limit, policy, evictions; warn where it should."""
    from pawsctl import memory
    from pawsctl.cli import memory_views

    run = invocation(ctx)
    with run.connect() as connection:
        found = memory.report_with_pictures(connection)
    run.output.show(found, memory_views.report)
    memory.require_all(found)


@app.command(cls=Command)
def maxmemory(
    ctx: typer.Context,
    size: Annotated[str, typer.Argument(metavar="SIZE", help="Such as 512mb; 0 for no limit.")],
    *,
    yes: Yes = False,
    confirm: Confirm = "",
) -> None:
    """Change the memory limit of each primary, at once and until it restarts."""
    from pawsctl import memory
    from pawsctl.cli import memory_views

    run = invocation(ctx)
    limit = memory.size(size)
    with run.connect() as connection:
        now = memory.report(connection)
        memory.require_all(now)
        confirm_on(run.output, 
            connection,
            memory_views.change(now, limit, origin=connection.target.origin),
            yes=yes,
            host=confirm,
            question="Change the limit?",
        )
        run.output.show(memory.set_limit(connection, limit), memory_views.limit_set)
    if connection.target.may_be_ours and memory.outgrows(now, limit):
        run.output.warn(memory_views.CONTAINER)
    run.output.note(memory_views.HOW_TO_KEEP)
