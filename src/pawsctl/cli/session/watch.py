"""`pawsctl session watch`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from pawsctl.cli import lookups
from pawsctl.cli.arguments import duration_option
from pawsctl.cli.global_options import Command, invocation
from pawsctl.cli.output.table import Column, Line, Span, table
from pawsctl.cli.output.units import duration, moment, or_dash
from pawsctl.cli.output.wrapping import wrapped
from pawsctl.cli.session.group import app
from pawsctl.cli.session.views.raw_view import left_out, titled
from pawsctl.errors import UsageError
from pawsctl.plurals import plural

if TYPE_CHECKING:
    from pawsctl.cli.output.stdout import Output
    from pawsctl.config.target import Target
    from pawsctl.sessions.contract.keyspace import Keyspace
    from pawsctl.sessions.watch.tail import NewMessage
    from pawsctl.sessions.watch.watch import Board, Poll, SessionEvent


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
    more than a quarter of a processor, here and on the server.
    """
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
                    missing_text(
                        run.keyspace.shown_name(key), target, absent.written_otherwise(store, [key])
                    )
                ),
            )
            output.follow(said, tail_view(output, run.keyspace), item=tail.as_result)
            return
        stream = operation.follow(store, match, interval=seconds)
        if output.is_screen:
            output.screen(operation.boards(stream), board_view(target, run.keyspace))
        else:
            events = operation.events(stream, tell_polls(output, target))
            output.follow(events, event_line)


_STYLES = {
    "appeared": "green",
    "changed": "cyan",
    "touched": "dim",
    "expired": "yellow",
    "deleted": "red",
}


def _words(event: SessionEvent) -> Span:
    return (f"! {event.problem}", "red") if event.problem else (event.last_message or "", "")


def _left(event: SessionEvent) -> str:
    return "-" if event.ttl is None else duration(event.ttl)


def event_line(event: SessionEvent) -> Iterator[Line]:
    """Render an event as one line."""
    yield [
        (f"{moment(event.time)}  ", "dim"),
        (f"{event.event:<9} ", _STYLES[event.event]),
        (f"{event.phone:<16} ", "cyan"),
        (f"{or_dash(event.messages):>3}  {_left(event):>7}  ", ""),
        _words(event),
    ]


def poll_text(found: Poll, target: Target) -> str:
    """Return sentences on what watching costs, and what it leaves out."""
    from pawsctl.sessions.watch.watch import FOLLOWED, SHARE

    parts = [
        f"Watching {plural(found.sessions, 'session')} in {target.url}: a poll takes "
        f"{_seconds(found.seconds)}, {found.seconds / found.pause:.1%} of the time."
    ]
    if found.is_slowed:
        parts.append(
            f"That is every {_seconds(found.pause)} and not every {_seconds(found.interval)}, so "
            f"that polls take {SHARE:.0%} at most."
        )
    if found.one_in > 1:
        parts.append(f"One in {found.one_in} is followed, {FOLLOWED:,} at most; see --match.")
    if found.left_out:
        parts.append(left_out(found.left_out))
    if not found.sees_sizes:
        parts.append(
            "Left out: writes that keep the TTL as it is; this server or user has no CLIENT "
            "NO-TOUCH, and reading all values would make every session look used."
        )
    return " ".join(parts)


def _seconds(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def tell_polls(output: Output, target: Target) -> Callable[[Poll], None]:
    """Return a function that notes a poll that is news on stderr, and others with --verbose."""

    def tell(found: Poll) -> None:
        (output.note if found.is_news else output.detail)(poll_text(found, target))

    return tell


def missing_text(phone: str, target: Target, others: Sequence[str] = ()) -> str:
    """Return a sentence saying that there is no conversation yet; `others` have one."""
    there = f" There is one for {', '.join(others)}." if others else ""
    return f"No session is stored for {phone} in {target.url} yet: waiting for it.{there}"


def board_view(target: Target, keyspace: Keyspace) -> Callable[[Board, int, int], Iterator[Line]]:
    """Return a function that renders a board: the cost of watching, counts, the newest events."""

    shown = titled(_EVENT_COLUMNS, keyspace)

    def drawn(found: Board, width: int, height: int) -> Iterator[Line]:
        counts = ", ".join(f"{count:,} {kind}" for kind, count in found.counts.items())
        head = [
            *wrapped([(poll_text(found.poll, target), "dim")], width),
            *wrapped([(f"{counts or 'nothing has happened yet'} (Ctrl-C ends)", "bold")], width),
        ]
        yield from head
        now = datetime.now(UTC)

        def ago(event: SessionEvent) -> Span:
            return duration((now - event.time).total_seconds()), "dim"

        columns = (Column("AGO", ago, right=True), *shown)
        yield from table(found.recent[: max(1, height - len(head) - 2)], columns, width)

    return drawn


_EVENT_COLUMNS: tuple[Column[SessionEvent], ...] = (
    Column("EVENT", lambda row: (row.event, _STYLES[row.event])),
    Column("PHONE", lambda row: (row.phone, "cyan")),
    Column("MESSAGES", lambda row: (or_dash(row.messages), ""), right=True, gives_way=1),
    Column("TTL", lambda row: (_left(row), ""), right=True, gives_way=2),
    Column("LAST MESSAGE", _words),
)


def tail_view(
    output: Output, keyspace: Keyspace
) -> Callable[[NewMessage | SessionEvent], Iterator[Line]]:
    """Return a function that renders a new message as in a transcript, or another event."""
    from pawsctl.cli.session.views import transcript
    from pawsctl.sessions.watch.tail import NewMessage

    def lines(found: NewMessage | SessionEvent) -> Iterator[Line]:
        if isinstance(found, NewMessage):
            yield from transcript.message_lines(found.message, full=False, room=output.room)
        else:
            # A terminal's clock is the reader's.
            local = f"{found.time.astimezone():%H:%M:%S}"
            time = local if output.is_terminal else moment(found.time)
            words = f"  {found.last_message}" if keyspace.is_raw and found.last_message else ""
            yield [(f"{time}  {found.event}", _STYLES[found.event]), (words, "")]

    return lines
