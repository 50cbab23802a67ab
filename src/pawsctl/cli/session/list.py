"""`pawsctl session list`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from pawsctl.cli.global_options import invocation
from pawsctl.cli.session.filter_options import FilteringListCommand, chosen_filter, filter_words
from pawsctl.cli.session.group import app
from pawsctl.cli.session.views.list_fields import (
    FIELDS,
    RAW_FIELDS,
    Fields,
    chosen_columns,
    is_default_json,
    table_columns,
    values_of,
)
from pawsctl.cli.session.views.raw_view import format_hint, is_of_another_format
from pawsctl.errors import UsageError

if TYPE_CHECKING:
    from pawsctl.sessions.query.rows import Listed


def _require_names(names: Sequence[str], option: str, known: Fields) -> None:
    """Raise UsageError for a title of a column that is not its name, such as SIZE for `bytes`."""
    titles = {each.column.title.lower(): name for name, each in known.items()}
    for typed in names:
        name = titles.get(re.sub("[_-]", " ", typed.lower()))
        if typed not in known and name is not None:
            raise UsageError(
                f"The field of the column {known[name].column.title} is called '{name}'.",
                hint=f"Write {option} {name} instead of '{typed}'.",
            )


def _require_once(columns: str | None, known: Fields) -> None:
    """Raise UsageError if `--columns` names a column twice."""
    names = [] if columns is None else [name.strip() for name in columns.split(",")]
    _require_names(names, "--columns", known)
    for name in names:
        if names.count(name) > 1:
            raise UsageError(
                f"--columns names '{name}' twice.", hint="Name each column no more than once."
            )


def _sort_fields() -> Sequence[str]:
    from pawsctl.sessions.query.sort_fields import SORT_FIELDS

    return SORT_FIELDS


def _columns() -> Sequence[str]:
    return [*FIELDS]


def _counted(rows: Iterable[Listed], formats: Counter[bool]) -> Iterator[Listed]:
    """Yield the rows; count in `formats` those that are of another format, and the others."""
    for row in rows:
        formats[is_of_another_format(row.item.problem or "")] += 1
        yield row


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
    from pawsctl.sessions.query.sort_fields import SORT_FIELDS

    run = invocation(ctx)
    known = RAW_FIELDS if run.keyspace.is_raw else FIELDS
    sortable = {name: known[name] for name in known if name in SORT_FIELDS}
    _require_names([sort] if sort else [], "--sort", sortable)
    if sort in SORT_FIELDS and sort not in known:
        run.keyspace.require_bots(f"--sort {sort}")
    fields = [name for name in SORT_FIELDS if not run.keyspace.is_raw or name in known]
    order = sorting.order(sort, reverse=reverse, limit=limit, fields=fields)
    _require_once(columns, known)
    wanted = chosen_filter(ctx)
    asked_for = ["waiting"] if wanted.waiting or sort == "waiting" else []
    names = chosen_columns(columns, run.format, known, asked_for=asked_for)
    if wanted.problem and columns is None and run.format == "text":
        # A conversation has it in place of its last message.
        names = ["problem" if each == "value" else each for each in names]
    with run.reader(partial=True) as store:
        listing = find.Listing(store, wanted, order)
        if run.output.is_json and is_default_json(names):
            # Items have these fields already.
            run.output.rows(listing.items(), (), fields=names)
            return
        # Whether they are of another format, of the rows that tell what is wrong with them.
        formats = Counter[bool]()
        tells = bool({"problem", "last_message"}.intersection(names))
        is_sure = run.session_settings.is_default_prefix or run.format != "text" or not tells
        rows = listing.rows()
        run.output.rows(
            rows if is_sure else _counted(rows, formats),
            table_columns(
                names,
                known,
                on_terminal=run.output.is_terminal,
                stay=[*asked_for, sort] if columns is None else names,
            ),
            fields=names,
            values=values_of(names, known),
            empty=lambda: listing.why_empty(filter_words(ctx)),
        )
        if run.format == "text" and (left_out := listing.left_out()):
            run.output.note(left_out)
        run.output.advise(lambda: format_hint(run, formats[True], formats.total()))
    if wanted.problem:
        run.output.advise(lambda: run.session_settings.doubt_on_ttl)
