"""`pawsctl serve`: the bot's health endpoint, metrics and probes, without the bot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from msgspec.structs import replace

from pawsctl.cli.arguments import waiting_time
from pawsctl.cli.global_options import Command, invocation

if TYPE_CHECKING:
    from pawsctl.cli.context import Invocation
    from pawsctl.connection import Connection, Notice
    from pawsctl.web.http.request_log import Entry

app = typer.Typer(add_completion=False, rich_markup_mode=None)

_LONGEST_PAUSE = 86_400


def _between_passes(text: str) -> float:
    """Parse the time between passes into seconds. Raises BadParameter for none, or over a day."""
    seconds = waiting_time(text)
    if not 0 < seconds <= _LONGEST_PAUSE:
        raise typer.BadParameter(f"{text} is not above 0s and at most 1d.")
    return seconds


@app.command("serve", cls=Command)
def serve(
    ctx: typer.Context,
    host: Annotated[
        str,
        typer.Option(
            "--host",
            metavar="HOST",
            help="Address or name to listen on; 0.0.0.0 is all of IPv4, :: all there are.",
        ),
    ] = "127.0.0.1",
    port: Annotated[
        int,
        typer.Option(
            "--port", metavar="PORT", min=0, max=65_535, help="Port; 0 takes one that is free."
        ),
    ] = 3000,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            "--allow-host",
            metavar="NAME",
            help="Also answer requests to this name, such as a service's; may be repeated.",
        ),
    ] = None,
    metrics_every: Annotated[
        float | None,
        typer.Option(
            "--metrics-every",
            metavar="TIME",
            parser=_between_passes,
            help="Least time between passes over Redis for /metrics (default 15s).",
        ),
    ] = None,
) -> None:
    """Serve the bot's /api/health, metrics and probes, until SIGTERM or Ctrl-C.

    Redis has 2 s to answer, or --timeout. Each request is logged on stderr, without phones.
    On SIGTERM, finishes open requests and exits with 0 within 5 s.
    """
    from pawsctl import web

    web.require_libraries()
    # Only this command needs the web server's libraries: 0.3 s and 32 MB.
    from pawsctl.connection import Timeouts, connect
    from pawsctl.web import server

    run = invocation(ctx)
    url = run.target().url

    def connected(seconds: float, notice: Notice) -> Connection:
        timeouts = Timeouts(
            run.connect_timeout or seconds, seconds, run.failover_timeout or seconds
        )
        # A password file may have changed, and 'redis up' may have made a password.
        return connect(run.target(), timeouts, notice=notice, prefer_replica=run.prefer_replica)

    options = server.Options(
        # An address of IPv6 as in a URL.
        host=host[1:-1] if host.startswith("[") and host.endswith("]") else host,
        port=port,
        names=allow_host or (),
        token=run.settings.text("PAWSCTL_SERVE_TOKEN"),
        seconds=run.timeout or 2.0,
        redis=url,
        keyspace=run.keyspace,
        metrics_every=15.0 if metrics_every is None else metrics_every,
    )
    server.serve(
        connected,
        run.bot_settings(),
        options,
        lambda entry: run.output.entry(_shown(run, entry), entry.text),
        run.output.takes_more,
    )


def _shown(run: Invocation, entry: Entry) -> Entry:
    """Return a line of the log as it is shown."""
    return replace(entry, message=run.output.masked(entry.message))
