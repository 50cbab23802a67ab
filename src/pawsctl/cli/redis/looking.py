"""Commands that look at what runs: `status`, `logs`, `cli`."""

import sys
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from pawsctl import durations
from pawsctl.cli.options import Command, EnvCommand, ListCommand
from pawsctl.cli.redis.group import Topology, app, stack_of
from pawsctl.errors import ExitStatus


def moment(text: str) -> datetime:
    """A time: `10m` or `1h30m` ago, or as ISO 8601 has it, UTC where it names no zone."""
    try:
        if text[:4].isdigit() and text[4:5] == "-":
            time = datetime.fromisoformat(text)
            return time if time.tzinfo else time.replace(tzinfo=UTC)
        return datetime.now(UTC) - timedelta(seconds=durations.seconds(text))
    except ValueError as error:
        raise typer.BadParameter("write it like 10m, 1h30m or 2026-01-31T12:00:00.") from error


@app.command(cls=EnvCommand)
def status(ctx: typer.Context, topology: Topology = "single") -> None:
    """Show what runs, where, and what it holds.

    With --topology also who replicates whom and how far behind, slots, and the Sentinels' quorum.
    With -o env the line REDIS_URL=… for a program's .env, with the password if there is one.
    Exits with 1 where Redis does not answer, or a topology takes no writes.
    """
    from pawsctl.cli import stack_events, topology_views
    from pawsctl.stack import topologies

    run, settings = stack_of(ctx)
    with stack_events.told(run.output) as emit:
        found = topologies.status(settings, topology, emit=emit)
    as_env = topology_views.env(settings.redis_password)
    run.output.show(found, as_env if run.format == "env" else topology_views.status)
    if not found.is_running:
        raise typer.Exit(ExitStatus.FAILED)


@app.command(cls=ListCommand)
def logs(
    ctx: typer.Context,
    services: Annotated[
        list[str] | None, typer.Argument(metavar="[SERVICE...]", help="redis, redis-commander.")
    ] = None,
    topology: Topology = "single",
    *,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what is written from now on.")
    ] = False,
    tail: Annotated[
        int | None,
        typer.Option("--tail", "-n", min=0, metavar="N", help="Only the last N lines of each."),
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option(
            "--since", parser=moment, metavar="TIME", help="Only what is newer, such as 10m."
        ),
    ] = None,
    timestamps: Annotated[
        bool, typer.Option("--timestamps", "-t", help="Begin each line with its time.")
    ] = False,
    no_log_prefix: Annotated[
        bool, typer.Option("--no-log-prefix", help="Do not begin each line with its service.")
    ] = False,
) -> None:
    """Show what the services have written."""
    from pawsctl.cli import stack_events, stack_views
    from pawsctl.stack import engine, inspection

    run, settings = stack_of(ctx)
    query = engine.LogQuery(tail=tail, since=since, follow=follow)
    with stack_events.told(run.output) as emit:
        lines = inspection.logs(settings, services or (), query, topology, emit=emit)
    run.output.stream(
        lines,
        view=stack_views.log_line(timestamps=timestamps, prefix=not no_log_prefix),
        fields=engine.LogLine.__struct_fields__,
    )


@app.command("cli", cls=Command, context_settings={"allow_interspersed_args": False})
def client(
    ctx: typer.Context,
    arguments: Annotated[
        list[str] | None,
        typer.Argument(metavar="[-- ARGS...]", help="What redis-cli is given."),
    ] = None,
) -> None:
    """Run redis-cli, logged in to this Redis.

    Exits with the exit status of redis-cli.
    """
    from pawsctl.cli import stack_events
    from pawsctl.stack import inspection

    run, settings = stack_of(ctx)
    terminal = sys.stdin.isatty() and sys.stdout.isatty()
    with stack_events.told(run.output) as emit:
        code = inspection.client(
            settings,
            arguments or (),
            terminal=terminal,
            emit=emit,
            write=run.output.log_of_others(),
        )
    raise typer.Exit(code)
