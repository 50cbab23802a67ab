"""`pawsctl redis logs`: the logs of the services."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from pawsctl.cli import lookups
from pawsctl.cli.arguments import time_option
from pawsctl.cli.global_options import StackListCommand
from pawsctl.cli.output.table import Line
from pawsctl.cli.redis.group import Topology, app, stack_of

if TYPE_CHECKING:
    from pawsctl.stack.engine.protocol import LogLine


def moment(text: str) -> datetime:
    """Parse a time: `10m` or `1h30m` ago, or ISO 8601, in UTC if it has no zone."""
    like = "10m, 1h30m or 2026-01-31T12:00:00"
    if not (text[:4].isdigit() and text[4:5] == "-"):
        return datetime.now(UTC) - timedelta(seconds=time_option(text, like=like))
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"write it like {like}.") from error
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def line_count(text: str) -> int | None:
    """Parse a number of lines; None for `all`, or -1, as Docker and kubectl have it."""
    if text in ("all", "-1"):
        return None
    if not re.fullmatch("[0-9]{1,9}", text):
        raise typer.BadParameter(f"'{text}' is not a number of up to 9 digits, or all.")
    return int(text)


@app.command(cls=StackListCommand)
def logs(
    ctx: typer.Context,
    services: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SERVICE...]",
            autocompletion=lookups.services,
            help="Services to show: redis, redis-commander; all by default.",
        ),
    ] = None,
    topology: Topology = "single",
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Follow new output.")] = False,
    tail: Annotated[
        int | None,
        typer.Option(
            "--tail",
            "-n",
            parser=line_count,
            metavar="N",
            help="Show only the last N lines of each service.",
        ),
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option(
            "--since",
            parser=moment,
            metavar="TIME",
            help="Show only lines since this time, such as 10m.",
        ),
    ] = None,
    timestamps: Annotated[
        bool, typer.Option("--timestamps", "-t", help="Show timestamps.")
    ] = False,
    no_log_prefix: Annotated[
        bool, typer.Option("--no-log-prefix", help="Do not prefix lines with the service.")
    ] = False,
) -> None:
    """Show the logs of the services."""
    from msgspec.structs import replace

    from pawsctl.cli.redis import event_lines
    from pawsctl.stack import service_logs
    from pawsctl.stack.engine import protocol

    run, settings = stack_of(ctx, reads=True)
    query = protocol.LogQuery(tail=tail, since=since, follow=follow)
    with event_lines.events_shown(run.output) as emit:
        lines = service_logs.logs(settings, services or (), query, topology, emit=emit)
    if (mask := run.mask_in_use()) is not None:
        lines = (replace(each, text=mask.log_line(each.text)) for each in lines)
    run.output.stream(
        lines,
        view=log_line(timestamps=timestamps, prefix=not no_log_prefix),
        fields=protocol.LogLine.__struct_fields__,
    )


_PREFIX_STYLES = ("cyan", "magenta", "yellow", "green")
# The longest name of a service, so that all lines are aligned.
_PREFIX_WIDTH = len("redis-commander")


def log_line(*, timestamps: bool, prefix: bool) -> Callable[[LogLine], Line]:
    """Return a function that renders a line of a log."""
    styles: dict[str, str] = {}

    def view(line: LogLine) -> Line:
        style = styles.setdefault(line.service, _PREFIX_STYLES[len(styles) % len(_PREFIX_STYLES)])
        spans = [(f"{line.service:{_PREFIX_WIDTH}} | ", style)] if prefix else []
        if timestamps and line.time:
            spans.append((f"{line.time:%Y-%m-%dT%H:%M:%S.%fZ} ", "dim"))
        return [*spans, (line.text, "")]

    return view
