"""`pawsctl session list`, and the columns that `--columns` knows."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, NamedTuple

import typer

from pawsctl.cli.global_options import invocation
from pawsctl.cli.output.table import Column, Span
from pawsctl.cli.output.units import about, duration, moment, moments, or_dash, size
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
            item=attrgetter("item"),
            fields=names,
            # Items have the default fields already.
            values=None if tuple(names) == _DEFAULT_JSON else values_of(names),
            empty=lambda: listing.why_empty(filter_words(ctx)),
        )
        if run.format == "text" and (left_out := listing.left_out()):
            run.output.note(left_out)


Rows = Sequence["Listed"]


class Field(NamedTuple):
    """A field of listed sessions: its values for JSON and CSV, and its column for text."""

    values: Callable[[Rows], Sequence[Any]]
    column: Column[Listed]


def _column(
    title: str,
    texts: Callable[[Rows], list[str]],
    style: Callable[[Listed], str] = lambda _row: "",
    *,
    right: bool = False,
    gives_way: int = 0,
) -> Column[Listed]:
    def cell(row: Listed) -> Span:
        return texts([row])[0], style(row)

    return Column(title, cell, right, gives_way, texts)


def _last_words(rows: Rows) -> list[str]:
    from pawsctl.cli.session.transcript import SPEAKERS

    texts = []
    for row in rows:
        words, session, problem = row.last_message, row.session, row.item.problem
        if problem:
            texts.append(f"! {problem}")
        elif words is None or session is None:
            texts.append("")
        else:
            role = session.messages[-1].role
            texts.append(f"{SPEAKERS.get(role, role)}: {words}")
    return texts


def _waiting_seconds(rows: Rows) -> list[int | None]:
    now = datetime.now(UTC)
    return [
        None if (since := row.waiting_since) is None else max(0, int((now - since).total_seconds()))
        for row in rows
    ]


def _waiting(rows: Rows) -> list[str]:
    return ["-" if each is None else about(each) for each in _waiting_seconds(rows)]


# Many sessions have the same.
_duration = lru_cache(maxsize=30_000)(duration)


@lru_cache(maxsize=30_000)
def _size(count: int | None) -> str:
    return "-" if count is None else size(count)


def _if_problem(row: Listed) -> str:
    return "red" if row.item.problem else ""


FIELDS = {
    "phone": Field(
        lambda rows: [row.item.phone for row in rows],
        _column("PHONE", lambda rows: [row.item.phone for row in rows], lambda _row: "cyan"),
    ),
    "key": Field(
        lambda rows: [row.item.key for row in rows],
        _column("KEY", lambda rows: [row.item.key for row in rows], lambda _row: "cyan"),
    ),
    "ttl": Field(
        lambda rows: [row.item.ttl for row in rows],
        _column(
            "TTL",
            lambda rows: [_duration(row.item.ttl) for row in rows],
            lambda row: ttl_span(row.item)[1],
            right=True,
        ),
    ),
    "status": Field(
        lambda rows: [row.item.status for row in rows],
        _column("STATUS", lambda rows: [row.item.status or "-" for row in rows], gives_way=2),
    ),
    "messages": Field(
        lambda rows: [row.item.messages for row in rows],
        _column(
            "MESSAGES",
            lambda rows: [or_dash(row.item.messages) for row in rows],
            right=True,
            gives_way=4,
        ),
    ),
    "updated_at": Field(
        lambda rows: [row.item.updated_at for row in rows],
        _column(
            "UPDATED", lambda rows: moments([row.item.updated_at for row in rows]), gives_way=3
        ),
    ),
    "bytes": Field(
        lambda rows: [row.item.bytes for row in rows],
        _column(
            "SIZE", lambda rows: [_size(row.item.bytes) for row in rows], right=True, gives_way=1
        ),
    ),
    "problem": Field(
        lambda rows: [row.item.problem for row in rows],
        _column("PROBLEM", lambda rows: [row.item.problem or "-" for row in rows], _if_problem),
    ),
    "waiting": Field(
        _waiting_seconds,
        _column(
            "WAITING",
            _waiting,
            lambda row: "" if row.waiting_since is None else "bold yellow",
            right=True,
        ),
    ),
    "last_message": Field(
        lambda rows: [row.last_message for row in rows],
        _column("LAST MESSAGE", _last_words, _if_problem),
    ),
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
    columns = [
        each._replace(gives_way=0) if are_chosen else each
        for each in (FIELDS[name].column for name in names)
    ]
    if not on_terminal:
        return columns
    now = datetime.now(UTC)

    def updated(row: Listed) -> Span:
        return moment(row.item.updated_at, now=now), ""

    return [
        each._replace(cell=updated, texts=None) if each.title == "UPDATED" else each
        for each in columns
    ]


def values_of(names: Sequence[str]) -> Callable[[Rows], list[Sequence[Any]]]:
    """Return a function that returns those fields of rows, each with its values for all rows."""
    values = [FIELDS[name].values for name in names]
    return lambda rows: [each(rows) for each in values]
