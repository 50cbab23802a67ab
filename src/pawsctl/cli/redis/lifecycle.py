"""Commands that change what runs: `up`, `dev`, `down`, `start`, `stop`, `restart`, `reset`."""

from typing import Annotated, Literal

import typer

from pawsctl.cli.arguments import Yes
from pawsctl.cli.options import Command
from pawsctl.cli.redis.group import TIMEOUT, Pull, Timeout, Topology, app, stack_of
from pawsctl.errors import ExitStatus, UsageError


@app.command(cls=Command)
def up(
    ctx: typer.Context,
    topology: Topology = "single",
    timeout: Timeout = TIMEOUT,
    pull: Pull = "missing",
) -> None:
    """Start Redis and wait until it answers.

    Where the settings changed, it is recreated with its data, and the changed fields are named.
    With --topology it is a primary, two replicas and three Sentinels, or a cluster of six nodes;
    both are for trying, have data and ports of their own, and run beside the single Redis.
    """
    from pawsctl.cli import stack_events, stack_views
    from pawsctl.stack import cautions, operations

    run, settings = stack_of(ctx, starts=True)
    with stack_events.told(run.output) as emit:
        done = operations.up(settings, topology, timeout=timeout, pull=pull, emit=emit)
    run.output.show(done, stack_views.up)
    if run.settings.has_kept_password:
        run.output.note(
            "Its password is kept; 'pawsctl redis status -o env' prints the URL with it."
        )
    for caution in cautions.of(run.settings, settings, done.services):
        run.output.warn(caution)


@app.command(cls=Command)
def dev(
    ctx: typer.Context,
    timeout: Timeout = TIMEOUT,
    pull: Pull = "missing",
    open_browser: Annotated[
        bool, typer.Option("--open", help="Show Redis Commander in the browser.")
    ] = False,
) -> None:
    """Start Redis and Redis Commander; needs Docker.

    Redis Commander is a web page to look into Redis; its address and login are shown.
    """
    from pawsctl.cli import stack_events, stack_views
    from pawsctl.stack import cautions, operations

    run, settings = stack_of(ctx, starts=True)
    with stack_events.told(run.output) as emit:
        done = operations.dev(
            settings, timeout=timeout, pull=pull, open_browser=open_browser, emit=emit
        )
    run.output.show(done, stack_views.dev)
    if run.settings.has_kept_password:
        run.output.note(
            "Its password is kept; 'pawsctl redis status -o env' prints the URL with it."
        )
    for caution in cautions.of(run.settings, settings, done.services):
        run.output.warn(caution)


@app.command(cls=Command)
def down(
    ctx: typer.Context,
    topology: Topology = "single",
    volumes: Annotated[
        bool, typer.Option("--volumes", help="Delete the data too, after asking.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be removed, and do nothing.")
    ] = False,
    yes: Yes = False,
) -> None:
    """Stop and remove what runs; keep the data."""
    from pawsctl.cli import stack_events, stack_views
    from pawsctl.stack import operations

    run, settings = stack_of(ctx)
    with stack_events.told(run.output) as emit:
        done = operations.down(
            settings,
            topology,
            volumes=volumes,
            dry_run=dry_run,
            confirm=lambda question: run.confirm_stack(question, yes=yes),
            emit=emit,
        )
    run.output.show(done, stack_views.down)


@app.command(cls=Command)
def start(ctx: typer.Context, topology: Topology = "single", timeout: Timeout = TIMEOUT) -> None:
    """Start what `stop` stopped."""
    from pawsctl.cli import stack_events, stack_views
    from pawsctl.stack import operations

    run, settings = stack_of(ctx, starts=True)
    with stack_events.told(run.output) as emit:
        done = operations.start(settings, topology, timeout=timeout, emit=emit)
    run.output.show(done, stack_views.up)


@app.command(cls=Command)
def stop(ctx: typer.Context, topology: Topology = "single") -> None:
    """Stop without removing anything."""
    from pawsctl.cli import stack_events, stack_views
    from pawsctl.stack import operations

    run, settings = stack_of(ctx)
    with stack_events.told(run.output) as emit:
        done = operations.stop(settings, topology, emit=emit)
    run.output.show(done, stack_views.stop)


@app.command(cls=Command)
def restart(ctx: typer.Context, topology: Topology = "single", timeout: Timeout = TIMEOUT) -> None:
    """Stop, and start again."""
    from pawsctl.cli import stack_events, stack_views
    from pawsctl.stack import operations

    run, settings = stack_of(ctx, starts=True)
    with stack_events.told(run.output) as emit:
        done = operations.restart(settings, topology, timeout=timeout, emit=emit)
    run.output.show(done, stack_views.up)


@app.command(cls=Command)
def reset(
    ctx: typer.Context,
    topology: Topology = "single",
    timeout: Timeout = TIMEOUT,
    no_backup: Annotated[
        bool, typer.Option("--no-backup", help="Do not export the sessions first.")
    ] = False,
    yes: Yes = False,
) -> None:
    """Export the sessions, delete all data, after asking; start again.

    The export is named; the last five are kept. 'session import' brings one back.
    """
    from pawsctl.backup import resetting
    from pawsctl.cli import stack_events, stack_views

    run, settings = stack_of(ctx, starts=True)
    with stack_events.told(run.output) as emit:
        done = resetting.reset(
            settings,
            topology,
            timeout=timeout,
            with_backup=not no_backup,
            confirm=lambda question: run.confirm_stack(question, yes=yes),
            emit=emit,
        )
    run.output.show(done, stack_views.reset)


@app.command(cls=Command)
def failover(
    ctx: typer.Context,
    topology: Annotated[
        Literal["sentinel", "cluster"] | None,
        typer.Option("--topology", help="Which of this project's own topologies; required."),
    ] = None,
    *,
    kill: Annotated[bool, typer.Option("--kill", help="Kill a primary, the default.")] = False,
    graceful: Annotated[
        bool, typer.Option("--graceful", help="Have a primary give way instead.")
    ] = False,
    timeout: Timeout = TIMEOUT,
) -> None:
    """Practise a failover: what does it cost when a primary fails?

    Test sessions are written all the while, and deleted afterwards. Shown are who was promoted,
    how long writes failed, and whether a session was lost that had been acknowledged; exits with 1
    where one was. Only for what 'redis up --topology' made on this machine, never for --url.
    """
    from pawsctl.cli import stack_events, topology_views
    from pawsctl.drill import failover as drill

    if topology is None:
        raise UsageError(
            "A failover needs a topology to practise it on.",
            hint="Add --topology sentinel or --topology cluster.",
        )
    if kill and graceful:
        raise UsageError("--kill and --graceful exclude each other.", hint="Give one of them.")
    run, settings = stack_of(ctx)
    with stack_events.told(run.output) as emit:
        done = drill.failover(
            settings,
            topology,
            method="graceful" if graceful else "kill",
            timeout=timeout,
            emit=emit,
        )
    run.output.show(done, topology_views.drill)
    if not done.ok:
        raise typer.Exit(ExitStatus.FAILED)
