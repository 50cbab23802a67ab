"""`pawsctl session list`, and the columns that `--columns` knows."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from operator import attrgetter
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, NamedTuple

import msgspec
import typer

from pawsctl.cli.global_options import invocation
from pawsctl.cli.output.table import Column, Span
from pawsctl.cli.output.units import about, moment, or_dash, size
from pawsctl.cli.session.expiry_view import ttl_span
from pawsctl.cli.session.filter_options import FilteringListCommand, chosen_filter, filter_words
from pawsctl.cli.session.group import app
from pawsctl.errors import UsageError

if TYPE_CHECKING:
    from pawsctl.cli.output import Format
    from pawsctl.sessions.query.rows import Listed


def _require_names(names: Sequence[str], option: str) -> None:
    """Raise UsageError for a title of a column that is not its name, such as SIZE for `bytes`."""
    titles = {each.column.title.lower(): name for name, each in FIELDS.items()}
    for typed in names:
        name = titles.get(re.sub("[_-]", " ", typed.lower()))
        if typed not in FIELDS and name is not None:
            raise UsageError(
                f"The field of the column {FIELDS[name].column.title} is called '{name}'.",
                hint=f"Write {option} {name} instead of '{typed}'.",
            )


def _require_once(columns: str | None) -> None:
    """Raise UsageError if `--columns` names a column twice."""
    names = [] if columns is None else [name.strip() for name in columns.split(",")]
    _require_names(names, "--columns")
    for name in names:
        if names.count(name) > 1:
            raise UsageError(
                f"--columns names '{name}' twice.", hint="Name each column no more than once."
            )


def _sort_fields() -> Sequence[str]:
    from pawsctl.sessions.query import sorting

    return sorting.FIELDS


def _columns() -> Sequence[str]:
    return [*FIELDS]


class ListSessions(FilteringListCommand):
    """A command whose options name fields."""

    values: ClassVar = {"--sort": _sort_fields, "--columns": _columns}


@app.command("list", cls=ListSessions)
def list_(
    ctx: typer.Context,
    sort: Annotated[
        str | None, typer.Option("--sort", metavar="FIELD", help="Sort by this column.")
    ] = None,
    reverse: Annotated[bool, typer.Option("--reverse", help="Reverse the order.")] = False,
    limit: Annotated[
        int | None,
        typer.Option("--limit", min=1, max=10**9, metavar="N", help="List at most N sessions."),
    ] = None,
    columns: Annotated[
        str | None,
        typer.Option("--columns", metavar="A,B,C", help="Columns to show, in this order."),
    ] = None,
) -> None:
    """List sessions.

    Shows each session's phone, status, messages, time left, last update, size, how long the
    customer has waited for an answer, and the last message.
    """
    from pawsctl.sessions.query import find, sorting

    run = invocation(ctx)
    _require_names([sort] if sort else [], "--sort")
    order = sorting.order(sort, reverse=reverse, limit=limit)
    _require_once(columns)
    names = chosen_columns(columns, run.format)
    wanted = chosen_filter(ctx)
    with run.reader(partial=True) as store:
        listing = find.Listing(store, wanted, order)
        run.output.rows(
            listing.rows(),
            table_columns(
                names, on_terminal=run.output.is_terminal, are_chosen=columns is not None
            ),
            item=row_maker(names),
            fields=names,
            empty=lambda: listing.why_empty(filter_words(ctx)),
        )
        if run.format == "text" and (left_out := listing.left_out()):
            run.output.note(left_out)


class Field(NamedTuple):
    """A field of a listed session: its value for JSON and CSV, and its column for text."""

    value: Callable[[Listed], Any]
    column: Column[Listed]


def _last_words(listed: Listed) -> Span:
    from pawsctl.cli.session.transcript import SPEAKERS

    if listed.item.problem:
        return f"! {listed.item.problem}", "red"
    words = listed.last_message
    if words is None or listed.session is None:
        return "", ""
    role = listed.session.messages[-1].role
    return f"{SPEAKERS.get(role, role)}: {words}", ""


def _waiting_seconds(listed: Listed) -> int | None:
    since = listed.waiting_since
    if since is None:
        return None
    return max(0, int((datetime.now(UTC) - since).total_seconds()))


def _waiting(listed: Listed) -> Span:
    seconds = _waiting_seconds(listed)
    return ("-", "") if seconds is None else (about(seconds), "bold yellow")


FIELDS = {
    "phone": Field(
        lambda row: row.item.phone, Column("PHONE", lambda row: (row.item.phone, "cyan"))
    ),
    "key": Field(lambda row: row.item.key, Column("KEY", lambda row: (row.item.key, "cyan"))),
    "ttl": Field(
        lambda row: row.item.ttl, Column("TTL", lambda row: ttl_span(row.item), right=True)
    ),
    "status": Field(
        lambda row: row.item.status,
        Column("STATUS", lambda row: (row.item.status or "-", ""), gives_way=2),
    ),
    "messages": Field(
        lambda row: row.item.messages,
        Column("MESSAGES", lambda row: (or_dash(row.item.messages), ""), right=True, gives_way=4),
    ),
    "updated_at": Field(
        lambda row: row.item.updated_at,
        Column("UPDATED", lambda row: (moment(row.item.updated_at), ""), gives_way=3),
    ),
    "bytes": Field(
        lambda row: row.item.bytes,
        Column(
            "SIZE",
            lambda row: (size(row.item.bytes) if row.item.bytes is not None else "-", ""),
            right=True,
            gives_way=1,
        ),
    ),
    "problem": Field(
        lambda row: row.item.problem,
        Column("PROBLEM", lambda row: (row.item.problem or "-", "red" if row.item.problem else "")),
    ),
    "waiting": Field(_waiting_seconds, Column("WAITING", _waiting, right=True)),
    "last_message": Field(lambda row: row.last_message, Column("LAST MESSAGE", _last_words)),
}

_DEFAULT_TEXT = (
    *("phone", "status", "messages", "ttl", "updated_at", "bytes", "waiting", "last_message"),
)
# Scripts rely on JSON and CSV having exactly these.
_DEFAULT_JSON = ("phone", "key", "ttl", "status", "messages", "updated_at", "bytes", "problem")
_DEFAULT_CSV = (*_DEFAULT_JSON, "last_message")


def chosen_columns(columns: str | None, output_format: Format) -> list[str]:
    """Return the names of the fields to show: those of `--columns a,b,c`, or the format's default.

    Raises UsageError for an unknown name.
    """
    if columns is None:
        if output_format == "text":
            return list(_DEFAULT_TEXT)
        return list(_DEFAULT_CSV if output_format == "csv" else _DEFAULT_JSON)
    names = list(dict.fromkeys(name.strip() for name in columns.split(",")))
    if unknown := [name for name in names if name not in FIELDS]:
        raise UsageError(
            f"There is no column '{unknown[0]}'.", hint=f"Known columns: {', '.join(FIELDS)}."
        )
    return names


def table_columns(
    names: Sequence[str], *, on_terminal: bool, are_chosen: bool
) -> list[Column[Listed]]:
    """Return the columns of a text table with those fields.

    On a terminal the last update is shown as `3 min ago`. Columns that the user chose do not give
    way to others.
    """
    now = datetime.now(UTC) if on_terminal else None

    def updated(row: Listed) -> Span:
        return moment(row.item.updated_at, now=now), ""

    columns = [
        each._replace(gives_way=0) if are_chosen else each
        for each in (FIELDS[name].column for name in names)
    ]
    return [each._replace(cell=updated) if each.title == "UPDATED" else each for each in columns]


def row_maker(names: Sequence[str]) -> Callable[[Listed], Any]:
    """Return a function that turns a row into an object with those fields, for JSON and CSV."""
    if tuple(names) == _DEFAULT_JSON:
        return attrgetter("item")
    made: Callable[..., Any] = msgspec.defstruct("Row", names)
    values = [FIELDS[name].value for name in names]
    return lambda row: made(*(value(row) for value in values))
