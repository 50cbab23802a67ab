"""`pawsctl redis status`: the running services, their ports, memory and keys; and the view."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING

import typer

from pawsctl.cli.global_options import EnvCommand
from pawsctl.cli.output.table import Column, Line, Span, table
from pawsctl.cli.output.units import duration, size
from pawsctl.cli.redis.group import Topology, app, stack_of
from pawsctl.errors import ExitStatus

if TYPE_CHECKING:
    from pawsctl.stack.status import StackStatus
    from pawsctl.stack.topology.view import Quorum
    from pawsctl.stack.topology_status import TopologyMember, TopologyStatus


@app.command(cls=EnvCommand)
def status(ctx: typer.Context, topology: Topology = "single") -> None:
    """Show the services, their ports, memory and keys.

    With --topology, also shows replication and lag, slots and the Sentinels' quorum. With -o env,
    prints REDIS_URL=… for a .env file, including the password if there is one. Exits with 1 if
    Redis, or the topology, does not answer or takes no writes.
    """
    from pawsctl.cli.redis import event_lines
    from pawsctl.stack import topology_status

    run, settings = stack_of(ctx, reads=True)
    with event_lines.events_shown(run.output) as emit:
        found = topology_status.status(settings, topology, emit=emit)
    as_env = env_view(settings.redis_password)
    as_text = partial(status_view, room=run.output.room)
    run.output.show(found, as_env if run.format == "env" else as_text)
    if not found.is_running:
        raise typer.Exit(ExitStatus.FAILED)


_STATES = {"running": "green", "absent": "red", "exited": "red", "restarting": "red"}
_HEALTHS = {"healthy": "green", "unhealthy": "red"}


def single_status(result: StackStatus) -> Iterator[Line]:
    """Render engine and URL, a line per service, memory and keys."""
    width = max(map(len, ["engine", *(each.service for each in result.services)])) + 2

    def label(text: str) -> Span:
        return f"{text:{width}}", "bold"

    yield [label("engine"), (result.engine, "")]
    yield [label("url"), (result.url, "cyan")]
    for each in result.services:
        line = [label(each.service), (each.state, _STATES.get(each.state, "yellow"))]
        # Until the health check has run for the first time, it says nothing: not even "starting".
        if each.health and each.health != "starting":
            line += [(", ", ""), (each.health, _HEALTHS.get(each.health, ""))]
        if each.uptime is not None:
            line.append((f", up {duration(each.uptime)}", ""))
        if each.ports:
            line.append((f", {' '.join(each.ports)}", ""))
        yield line
    if result.memory:
        used, peak, most = result.memory.used, result.memory.peak, result.memory.maximum
        of = f" of {size(most)}" if most else ", no limit"
        yield [label("memory"), (f"{size(used)}{of} (peak {size(peak)})", "")]
    if result.keys:
        keys = result.keys
        yield [label("keys"), (f"{keys.total} ({keys.expiring} with a TTL)", "")]
    if result.problem:
        yield [(result.problem, "red")]


_ROLES = {"primary": "cyan", "sentinel": "magenta"}


def status_view(result: StackStatus | TopologyStatus, *, room: int | None) -> Iterable[Line]:
    """Render the status of the single Redis or of a topology."""
    from pawsctl.stack.status import StackStatus

    return single_status(result) if isinstance(result, StackStatus) else _topology(result, room)


def env_view(password: str | None) -> Callable[[StackStatus | TopologyStatus], Iterator[Line]]:
    """Return a function that renders the URL, with `password`, as a line of a `.env`."""
    from pawsctl.config import redis_url, url_with_password

    def view(result: StackStatus | TopologyStatus) -> Iterator[Line]:
        place = redis_url.parse(result.url, origin="the project's settings")
        url = url_with_password.of(place.with_login(None, password))
        yield [(f"REDIS_URL={url}", "")]

    return view


def _topology(result: TopologyStatus, room: int | None) -> Iterator[Line]:
    """Render engine and URL, the Sentinels' quorum, a row per service, and the problems."""
    yield [("engine   ", "bold"), (result.engine, "")]
    yield [("url      ", "bold"), (result.url, "cyan")]
    runs = any(each.state == "running" for each in result.services)
    if result.quorum and runs:
        yield [("quorum   ", "bold"), (_quorum(result.quorum), "green" if result.serves else "red")]
    columns = [each for each in _COLUMNS if any(each.cell(row)[0] for row in result.services)]
    yield from table(result.services, columns, room)
    for problem in result.problems:
        yield [("problem: ", "yellow"), (problem, "")]
    if runs and not result.serves:
        up = f"pawsctl redis up --topology {result.topology}"
        yield [(f"It takes no writes; start it with '{up}'.", "red")]


def _quorum(quorum: Quorum) -> str:
    """Return in words how many Sentinels agree."""
    needed = f"{quorum.needed} needed"
    if not quorum.sentinels:
        return f"no Sentinel answers, {needed}"
    return f"{quorum.agreeing} of {quorum.sentinels} Sentinels agree, {needed}"


def _state(row: TopologyMember) -> Span:
    return row.state, _STATES.get(row.state, "yellow")


def _role(row: TopologyMember) -> Span:
    if row.role == "replica":
        return f"replica of {row.primary or '?'}", ""
    return row.role or "", _ROLES.get(row.role or "", "")


def _keys(row: TopologyMember) -> Span:
    return "" if row.keys is None else str(row.keys), ""


def _memory(row: TopologyMember) -> Span:
    return "" if row.memory is None else size(row.memory), ""


def _lag(row: TopologyMember) -> Span:
    if row.lag is None:
        return "", ""
    if row.lag.seconds is None:
        return "not connected", "red"
    return f"{row.lag.bytes} B, heard {row.lag.seconds} s ago", ""


_COLUMNS: tuple[Column[TopologyMember], ...] = (
    Column("service", lambda row: (row.service, "bold")),
    Column("state", _state),
    Column("port", lambda row: (" ".join(row.ports), ""), gives_way=5),
    Column(
        "uptime", lambda row: ("" if row.uptime is None else duration(row.uptime), ""), gives_way=1
    ),
    Column("role", _role),
    Column(
        "keys", lambda row: ("" if row.keys is None else str(row.keys), ""), right=True, gives_way=4
    ),
    Column(
        "memory",
        lambda row: ("" if row.memory is None else size(row.memory), ""),
        right=True,
        gives_way=2,
    ),
    Column("lag", _lag, gives_way=3),
    Column("slots", lambda row: (" ".join(row.slots), ""), gives_way=6),
)
