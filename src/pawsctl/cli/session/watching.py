"""Commands that go on until they are ended: `watch`."""

from typing import Annotated

import typer

from pawsctl.cli.options import Command, invocation
from pawsctl.cli.session.filtering import duration
from pawsctl.cli.session.group import app
from pawsctl.errors import UsageError


@app.command(cls=Command)
def watch(
    ctx: typer.Context,
    phone: Annotated[
        str | None,
        typer.Argument(metavar="[PHONE]", help="A phone or whole key: show what is said there."),
    ] = None,
    interval: Annotated[
        str, typer.Option("--interval", metavar="TIME", help="How often to look.")
    ] = "2s",
    match: Annotated[
        str | None,
        typer.Option("--match", metavar="GLOB", help="Phones like +1*, as Redis matches."),
    ] = None,
    last: Annotated[
        int | None,
        typer.Option(
            "--last", min=0, max=10**9, metavar="N", help="With PHONE: begin with N messages."
        ),
    ] = None,
) -> None:
    """Watch sessions appear, change and expire; with PHONE, one conversation as it grows.

    Looks again and again, and so rarely that it takes a quarter of the time at most.
    """
    from pawsctl.cli import watch_views
    from pawsctl.sessions import filters, keys, tailing, watching

    run, seconds = invocation(ctx), duration(interval, least="100ms", option="--interval")
    output = run.output
    if phone is None and last is not None:
        raise UsageError("--last is about one conversation.", hint="Name its PHONE.")
    if phone is not None and match is not None:
        raise UsageError("--match is about many sessions.", hint="Leave out PHONE or --match.")
    with run.reader() as store:
        target = store.connection.target
        if phone is not None:
            key = keys.session_key(phone)
            said = tailing.tail(
                store,
                key,
                last=last,
                interval=seconds,
                missing=lambda: output.note(watch_views.missing(key, target)),
            )
            output.follow(said, watch_views.tailed, item=tailing.told)
            return
        stream = watching.follow(store, filters.Filter(match=match).pattern, interval=seconds)
        if output.is_screen:
            output.screen(watching.boards(stream), watch_views.board(target))
        else:
            events = watching.events(stream, watch_views.tell_polls(output, target))
            output.follow(events, watch_views.line)
