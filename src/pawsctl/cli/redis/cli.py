"""`pawsctl redis cli`."""

import shlex
import sys
from typing import Annotated, Any

import typer

from pawsctl.cli.confirm.stack import own_target
from pawsctl.cli.global_options import StackCommand, invocation
from pawsctl.cli.redis.group import app, stack_of
from pawsctl.errors import UsageError

_OF_LOGINS = ("-a", "--pass", "-u", "--uri")


class RedisCli(StackCommand):
    """A command whose unknown options are redis-cli's, as is its output."""

    untaken = StackCommand.untaken | {"--output", "--json"}

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse. Raises UsageError for an option that is not pawsctl's."""
        given = list(args)
        try:
            return super().parse_args(ctx, args)
        except typer.TyperException as error:
            if type(error).__name__ != "NoSuchOption":
                raise
            # The line is not repeated if it may hold a password.
            is_secret = any(each.startswith(_OF_LOGINS) or "://" in each for each in given)
            line = "OPTIONS" if is_secret else shlex.join(given)
            raise UsageError(
                error.message,
                hint=f"Options of redis-cli stand behind --: pawsctl redis cli -- {line}",
            ) from error


@app.command("cli", cls=RedisCli, context_settings={"allow_interspersed_args": False})
def client(
    ctx: typer.Context,
    arguments: Annotated[
        list[str] | None,
        typer.Argument(metavar="[-- ARGS...]", help="Arguments for redis-cli."),
    ] = None,
) -> None:
    """Run redis-cli, logged in to this project's Redis.

    Exits with the exit status of redis-cli. With --read-only, runs a single command that reads.
    """
    from pawsctl.cli.redis import event_lines
    from pawsctl.safety import masking
    from pawsctl.stack import redis_cli

    masking.require_none(
        invocation(ctx).settings,
        "redis-cli prints values as they are stored",
        "'session list' and 'session get' mask them.",
    )
    only_reads = redis_cli.only_reads(arguments or ())
    if not only_reads:
        invocation(ctx).require_changeable(
            "redis-cli is run for a single command that reads alone, such as '-- GET KEY'"
        )
    run, settings = stack_of(ctx, reads=True)
    if not only_reads:
        run.record(own_target(run, settings))
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
