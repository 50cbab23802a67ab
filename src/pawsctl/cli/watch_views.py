"""What a person sees of `session watch`. Nothing here writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pawsctl.cli import transcripts
from pawsctl.cli.text import Column, Line, Span, table
from pawsctl.cli.views import duration, or_dash, plural
from pawsctl.sessions.keys import phone_of
from pawsctl.sessions.tailing import Said
from pawsctl.sessions.watching import FOLLOWED, SHARE, Board, Event, Poll

if TYPE_CHECKING:
    from pawsctl.cli.output import Output
    from pawsctl.target import Target

_STYLES = {
    "appeared": "green",
    "changed": "cyan",
    "touched": "dim",
    "expired": "yellow",
    "deleted": "red",
}


def _words(event: Event) -> Span:
    return (f"! {event.problem}", "red") if event.problem else (event.last_message or "", "")


def _left(event: Event) -> str:
    return "-" if event.ttl is None else duration(event.ttl)


def line(event: Event) -> Iterator[Line]:
    """An event on a line of its own."""
    yield [
        (f"{event.time:%H:%M:%S}  ", "dim"),
        (f"{event.event:<9} ", _STYLES[event.event]),
        (f"{event.phone:<16} ", "cyan"),
        (f"{or_dash(event.messages):>3}  {_left(event):>7}  ", ""),
        _words(event),
    ]


def poll(found: Poll, target: Target) -> str:
    """What watching costs, and what it leaves out."""
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
    if not found.sees_sizes:
        parts.append(
            "Left out: writes that keep the TTL as it is; this server or user has no CLIENT "
            "NO-TOUCH, and reading all values would make every session look used."
        )
    return " ".join(parts)


def _seconds(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def tell_polls(output: Output, target: Target) -> Callable[[Poll], None]:
    """What tells of polls beside a stream of events: of each only where much is to be told."""

    def tell(found: Poll) -> None:
        (output.note if found.is_news else output.detail)(poll(found, target))

    return tell


def missing(key: bytes, target: Target) -> str:
    """That there is no conversation yet."""
    return f"No session is stored for {phone_of(key)} in {target.url} yet: waiting for it."


def board(target: Target) -> Callable[[Board, int, int], Iterator[Line]]:
    """What draws the newest events in some columns and lines, and what watching costs."""

    def drawn(found: Board, width: int, height: int) -> Iterator[Line]:
        counts = ", ".join(f"{count:,} {kind}" for kind, count in found.counts.items())
        yield [(poll(found.poll, target), "dim")]
        yield [(f"{counts or 'nothing has happened yet'} (Ctrl-C ends)", "bold")]
        now = datetime.now(UTC)

        def ago(event: Event) -> Span:
            return duration((now - event.time).total_seconds()), "dim"

        columns = (Column("AGO", ago, right=True), *_EVENT_COLUMNS)
        yield from table(found.recent[: max(1, height - 4)], columns, width)

    return drawn


_EVENT_COLUMNS: tuple[Column[Event], ...] = (
    Column("EVENT", lambda row: (row.event, _STYLES[row.event])),
    Column("PHONE", lambda row: (row.phone, "cyan")),
    Column("MESSAGES", lambda row: (or_dash(row.messages), ""), right=True),
    Column("TTL", lambda row: (_left(row), ""), right=True),
    Column("LAST MESSAGE", _words),
)


def tailed(found: Said | Event) -> Iterator[Line]:
    """A message as in a transcript, and what else happens to its session."""
    if isinstance(found, Said):
        yield from transcripts.message_lines(found.message, full=False)
    else:
        yield [(f"{found.time:%H:%M:%S}  {found.event}", _STYLES[found.event])]
