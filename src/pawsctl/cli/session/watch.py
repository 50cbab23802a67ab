"""`pawsctl session watch`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from pawsctl.cli import lookups
from pawsctl.cli.arguments import duration_option
from pawsctl.cli.global_options import Command, invocation
from pawsctl.cli.session.group import app
from pawsctl.errors import UsageError

if TYPE_CHECKING:
    from pawsctl.cli.output.stdout import Output
    from pawsctl.config.target import Target
    from pawsctl.sessions.watch.watch import Poll

Event = TypeVar("Event")


@app.command(cls=Command)
def watch(
    ctx: typer.Context,
    phone: Annotated[
        str | None,
        typer.Argument(
            metavar="[PHONE]",
            autocompletion=lookups.phones,
            help="Phone or key of one conversation to follow.",
        ),
    ] = None,
    interval: Annotated[
        str, typer.Option("--interval", metavar="TIME", help="Time between polls.")
    ] = "2s",
    match: Annotated[
        str | None,
        typer.Option(
            "--match",
            metavar="GLOB",
            help="Only phones, or ids, that match a glob such as +1* (* ? [a-c] \\).",
        ),
    ] = None,
    last: Annotated[
        int | None,
        typer.Option(
            "--last",
            min=0,
            max=10**9,
            metavar="N",
            help="With PHONE, show the last N messages first.",
        ),
    ] = None,
) -> None:
    """Watch sessions appear, change and expire.

    With PHONE, follows one conversation. Polls less often than --interval if polling would take
    more than a quarter of a processor, here and on the server. If Redis goes away, says so and goes
    on when it is back; exits with 5 if that takes longer than --failover-timeout.
    """
    from pawsctl.cli.session.views import watch_view as view
    from pawsctl.sessions.query import absent
    from pawsctl.sessions.watch import tail
    from pawsctl.sessions.watch import watch as operation

    run, seconds = invocation(ctx), duration_option(interval, least="100ms", option="--interval")
    output = run.output
    if phone is None and last is not None:
        raise UsageError("--last is about one conversation.", hint="Name its PHONE.")
    if last is not None:
        run.keyspace.require_bots("--last")
    if phone is not None and match is not None:
        raise UsageError("--match is about many sessions.", hint="Leave out PHONE or --match.")
    with run.reader() as store:
        target = store.connection.target
        if phone is not None:
            key = run.keyspace.key(phone)
            said = tail.tail(
                store,
                key,
                last=last,
                interval=seconds,
                missing=lambda: output.note(
                    view.missing_text(
                        run.keyspace.shown_name(key), target, absent.written_otherwise(store, [key])
                    )
                ),
            )
            events = tell_outages(said, output)
            output.follow(events, view.tail_view(output, run.keyspace), item=tail.as_result)
            return
        stream = operation.follow(store, match, interval=seconds)
        if output.is_screen:
            output.screen(operation.boards(stream), view.board_view(target, run.keyspace))
        else:
            found = operation.events(stream, tell_polls(output, target))
            output.follow(tell_outages(found, output), view.event_lines)


def tell_outages(events: Iterable[Event], output: Output) -> Iterator[Event]:
    """Yield the events, and note on stderr those of the connection if stdout is no terminal."""
    from pawsctl.cli.session.views import watch_view
    from pawsctl.sessions.watch.outages import ConnectionEvent

    for event in events:
        if isinstance(event, ConnectionEvent) and not output.is_terminal:
            output.note(f"{event.event.capitalize()}. {watch_view.outage_text(event)}".rstrip())
        yield event


def tell_polls(output: Output, target: Target) -> Callable[[Poll], None]:
    """Return a function that notes a poll that is news on stderr, and others with --verbose."""
    from pawsctl.cli.session.views import watch_view

    def tell(found: Poll) -> None:
        say = output.note if found.is_news else output.detail
        say(watch_view.poll_text(found, target))

    return tell
