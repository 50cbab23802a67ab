"""How `session watch` shows what it sees: as lines, as a board, or as a transcript."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pawsctl.cli.output.table import Column, Line, Span, table
from pawsctl.cli.output.units import duration, moment, or_dash
from pawsctl.cli.output.wrapping import wrapped
from pawsctl.cli.session.views.raw_view import left_out, titled
from pawsctl.plurals import plural
from pawsctl.sessions.watch.outages import ConnectionEvent
from pawsctl.sessions.watch.tail import NewMessage
from pawsctl.sessions.watch.watch import FOLLOWED, SHARE, SessionEvent

if TYPE_CHECKING:
    from pawsctl.cli.output.stdout import Output
    from pawsctl.config.target import Target
    from pawsctl.sessions.contract.keyspace import Keyspace
    from pawsctl.sessions.watch.watch import Board, Poll

_STYLES = {
    "disconnected": "bold red",
    "reconnected": "bold green",
    "appeared": "green",
    "changed": "cyan",
    "touched": "dim",
    "expired": "yellow",
    "deleted": "red",
}


def _words(event: SessionEvent | ConnectionEvent) -> Span:
    if isinstance(event, ConnectionEvent):
        return event.reason or "", _STYLES[event.event]
    return (f"! {event.problem}", "red") if event.problem else (event.last_message or "", "")


def _left(event: SessionEvent) -> str:
    return "-" if event.ttl is None else duration(event.ttl)


def event_lines(event: SessionEvent | ConnectionEvent) -> Iterator[Line]:
    """Render an event as one line."""
    if isinstance(event, ConnectionEvent):
        yield _connection_line(event, moment(event.time))
        return
    yield [
        (f"{moment(event.time)}  ", "dim"),
        (f"{event.event:<9} ", _STYLES[event.event]),
        (f"{event.phone:<16} ", "cyan"),
        (f"{or_dash(event.messages):>3}  {_left(event):>7}  ", ""),
        _words(event),
    ]


def _connection_line(event: ConnectionEvent, time: str) -> Line:
    return [(f"{time}  ", "dim"), (event.event, _STYLES[event.event]), _outage(event)]


def _outage(event: ConnectionEvent) -> Span:
    text = outage_text(event)
    return (f"  {text}" if text else "", "")


def outage_text(event: ConnectionEvent) -> str:
    """Return sentences on why nothing is seen, and for how long that is borne; '' if all is."""
    waiting = f"Waiting up to {event.timeout:g} s for it." if event.timeout else ""
    return f"{event.reason or ''} {waiting}".strip()


def poll_text(found: Poll, target: Target) -> str:
    """Return sentences on what watching costs, and what it leaves out."""
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


def missing_text(phone: str, target: Target, others: Sequence[str] = ()) -> str:
    """Return a sentence saying that there is no conversation yet; `others` have one."""
    there = f" There is one for {', '.join(others)}." if others else ""
    return f"No session is stored for {phone} in {target.url} yet: waiting for it.{there}"


def board_view(target: Target, keyspace: Keyspace) -> Callable[[Board, int, int], Iterator[Line]]:
    """Return a function that renders a board: the cost of watching, counts, the newest events."""
    shown = titled(_EVENT_COLUMNS, keyspace)

    def drawn(found: Board, width: int, height: int) -> Iterator[Line]:
        counts = ", ".join(f"{count:,} {kind}" for kind, count in found.counts.items())
        state: Span = (poll_text(found.poll, target), "dim")
        if found.lost:
            since = f"{found.lost.time.astimezone():%H:%M:%S}"
            text = f"Disconnected at {since}, and shown as it was then. {outage_text(found.lost)}"
            state = (text, _STYLES["disconnected"])
        head = [
            *wrapped([state], width),
            *wrapped([(f"{counts or 'nothing has happened yet'} (Ctrl-C ends)", "bold")], width),
        ]
        yield from head
        # The board stays as it is until the server is back.
        now = found.lost.time if found.lost else datetime.now(UTC)

        def ago(event: SessionEvent | ConnectionEvent) -> Span:
            return duration((now - event.time).total_seconds()), "dim"

        columns = (Column("AGO", ago, right=True), *shown)
        yield from table(found.recent[: max(1, height - len(head) - 2)], columns, width)

    return drawn


def _of_session(
    cell: Callable[[SessionEvent], Span],
) -> Callable[[SessionEvent | ConnectionEvent], Span]:
    """Return the function of a column that is empty for an event of the connection."""

    def shown(event: SessionEvent | ConnectionEvent) -> Span:
        return cell(event) if isinstance(event, SessionEvent) else ("", "")

    return shown


_EVENT_COLUMNS: tuple[Column[SessionEvent | ConnectionEvent], ...] = (
    Column("EVENT", lambda row: (row.event, _STYLES[row.event])),
    Column("PHONE", _of_session(lambda row: (row.phone, "cyan"))),
    Column(
        "MESSAGES",
        _of_session(lambda row: (or_dash(row.messages), "")),
        right=True,
        gives_way=1,
    ),
    Column("TTL", _of_session(lambda row: (_left(row), "")), right=True, gives_way=2),
    Column("LAST MESSAGE", _words),
)


def tail_view(
    output: Output, keyspace: Keyspace
) -> Callable[[NewMessage | SessionEvent | ConnectionEvent], Iterator[Line]]:
    """Return a function that renders a new message as in a transcript, or another event."""
    from pawsctl.cli.session.views import transcript

    def lines(found: NewMessage | SessionEvent | ConnectionEvent) -> Iterator[Line]:
        if isinstance(found, NewMessage):
            yield from transcript.message_lines(found.message, full=False, room=output.room)
            return
        # A terminal's clock is the reader's.
        local = f"{found.time.astimezone():%H:%M:%S}"
        time = local if output.is_terminal else moment(found.time)
        if isinstance(found, ConnectionEvent):
            yield _connection_line(found, time)
        else:
            words = f"  {found.last_message}" if keyspace.is_raw and found.last_message else ""
            yield [(f"{time}  {found.event}", _STYLES[found.event]), (words, "")]

    return lines
