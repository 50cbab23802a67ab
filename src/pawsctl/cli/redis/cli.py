"""`pawsctl redis cli`."""

import sys
from typing import Annotated

import typer

from pawsctl.cli.global_options import Command
from pawsctl.cli.redis.group import app, stack_of


@app.command("cli", cls=Command, context_settings={"allow_interspersed_args": False})
def client(
    ctx: typer.Context,
    arguments: Annotated[
        list[str] | None,
        typer.Argument(metavar="[-- ARGS...]", help="Arguments for redis-cli."),
    ] = None,
) -> None:
    """Run redis-cli, logged in to this project's Redis.

    Exits with the exit status of redis-cli.
    """
    from pawsctl.cli.redis import event_lines
    from pawsctl.stack import redis_cli

    run, settings = stack_of(ctx)
    terminal = sys.stdin.isatty() and sys.stdout.isatty()
    with event_lines.events_shown(run.output) as emit:
        code = redis_cli.client(
            settings,
            arguments or (),
            terminal=terminal,
            emit=emit,
            write=run.output.log_of_others(),
        )
    raise typer.Exit(code)
