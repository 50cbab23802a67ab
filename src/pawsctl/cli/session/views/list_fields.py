"""The fields of listed sessions: what `--columns` knows, for conversations and for any value."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from operator import add
from typing import TYPE_CHECKING, Any, NamedTuple

from pawsctl.cli.output.table import Column, Span
from pawsctl.cli.output.units import Texts, about, duration, moment, moments, size
from pawsctl.cli.session.views.expiry_view import ttl_span
from pawsctl.errors import UsageError
from pawsctl.escaping import Printable

if TYPE_CHECKING:
    from pawsctl.cli.output import Format
    from pawsctl.sessions.contract.model import Message
    from pawsctl.sessions.query.rows import Listed


Rows = Sequence["Listed"]


class Field(NamedTuple):
    """A field of listed sessions: its values for JSON and CSV, and its column for text."""

    values: Callable[[Rows], Sequence[Any]]
    column: Column[Listed]


Fields = Mapping[str, Field]


def _column(
    title: str,
    texts: Callable[[Rows], Sequence[str]],
    style: Callable[[Listed], str] = lambda _row: "",
    *,
    right: bool = False,
    gives_way: int = 0,
    is_own: bool = False,
) -> Column[Listed]:
    def cell(row: Listed) -> Span:
        return texts([row])[0], style(row)

    return Column(title, cell, right, gives_way, texts, is_own)


def _last_messages(rows: Rows) -> Sequence[str | None]:
    from pawsctl.sessions.query.rows import last_messages

    return last_messages(rows)


def _last_words(rows: Rows) -> Sequence[str]:
    from pawsctl.cli.session.views.transcript import SPEAKERS
    from pawsctl.sessions.contract.decode import BotMessage, UserMessage

    found = _last_messages(rows)
    if type(found) is Printable and [row.item.problem for row in rows].count(None) == len(rows):
        # As nearly always: there is nothing to escape in any.
        names: dict[type[Message], bytes] = {
            kind: f"{SPEAKERS[kind.role]}: ".encode() for kind in (UserMessage, BotMessage)
        }
        kinds = [type(row.last) for row in rows if row.last is not None]
        if names.keys() >= set(kinds):
            return Printable(list(map(add, map(names.__getitem__, kinds), found.encoded)))
    texts = []
    for row, words in zip(rows, found, strict=True):
        if problem := row.item.problem:
            texts.append(f"! {problem}")
        elif words is None or row.last is None:
            texts.append("")
        else:
            role = row.last.role
            texts.append(f"{SPEAKERS.get(role, role)}: {words}")
    return texts


def _waiting_seconds(rows: Rows) -> list[int | None]:
    now, found = datetime.now(UTC), list[int | None]()
    for row in rows:
        since, last = row.item.updated_at, row.last
        if since is not None and last is not None and last.wants_answer:
            found.append(max(0, (now - since) // _SECOND))
        else:
            found.append(None)
    return found


_SECOND = timedelta(seconds=1)


def _waiting(rows: Rows) -> list[str]:
    # From a minute on, seconds are not shown.
    return [
        _ABOUT[each if each is None or each < 60 else each - each % 60]
        for each in _waiting_seconds(rows)
    ]


def _times_left(rows: Rows) -> list[str]:
    # From an hour on, seconds are not shown.
    return [
        _DURATIONS[left if (left := row.item.ttl) < 3_600 else left - left % 60] for row in rows
    ]


_ABOUT, _DURATIONS, _COUNTS, _SIZES = Texts(about), Texts(duration), Texts(str), Texts(size)


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
            _times_left,
            # A session that should expire and does not has a problem.
            lambda row: ttl_span(row.item, may_stay=row.item.problem is None)[1],
            right=True,
            is_own=True,
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
            lambda rows: [_COUNTS[row.item.messages] for row in rows],
            right=True,
            gives_way=4,
            is_own=True,
        ),
    ),
    "updated_at": Field(
        lambda rows: [row.item.updated_at for row in rows],
        _column(
            "UPDATED",
            lambda rows: moments([row.item.updated_at for row in rows]),
            gives_way=3,
            is_own=True,
        ),
    ),
    "bytes": Field(
        lambda rows: [row.item.bytes for row in rows],
        _column(
            "SIZE",
            lambda rows: [_SIZES[row.item.bytes] for row in rows],
            right=True,
            gives_way=1,
            is_own=True,
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
            is_own=True,
        ),
    ),
    "last_message": Field(
        _last_messages,
        _column("LAST MESSAGE", _last_words, _if_problem),
    ),
}

# The fields of any application's sessions.
RAW_FIELDS: Fields = {
    "phone": FIELDS["phone"]._replace(column=FIELDS["phone"].column._replace(title="ID")),
    "key": FIELDS["key"],
    "type": Field(
        lambda rows: [getattr(row.item, "type", None) for row in rows],
        _column("TYPE", lambda rows: [getattr(row.item, "type", "") for row in rows]),
    ),
    **{name: FIELDS[name] for name in ("ttl", "bytes", "problem")},
    "value": Field(
        lambda rows: [row.last_message for row in rows],
        _column(
            "VALUE",
            lambda rows: [
                f"! {row.item.problem}" if row.last_message is None else row.last_message
                for row in rows
            ],
            lambda row: "red" if row.last_message is None else "",
        ),
    ),
}

_DEFAULT_TEXT = (
    *("phone", "status", "messages", "ttl", "updated_at", "bytes", "waiting", "last_message"),
)
# Scripts rely on JSON and CSV having exactly these.
_DEFAULT_JSON = ("phone", "key", "ttl", "status", "messages", "updated_at", "bytes", "problem")
_DEFAULT_CSV = (*_DEFAULT_JSON, "last_message")
_RAW_TEXT = ("phone", "type", "ttl", "bytes", "value")
# Its items also have the keys that only conversations have.
_RAW_JSON = ("phone", "key", "ttl", "bytes", "problem", "type")
_RAW_CSV = ("phone", "key", "type", "ttl", "bytes", "problem", "value")


def is_default_json(names: Sequence[str]) -> bool:
    """Return whether an item as it is has these fields."""
    return tuple(names) in (_DEFAULT_JSON, _RAW_JSON)


def chosen_columns(
    columns: str | None, output_format: Format, known: Fields, *, asked_for: Sequence[str] = ()
) -> list[str]:
    """Return the names of the fields to show: those of `--columns a,b,c`, or the format's default.

    Fields that other options `asked_for` are among the default. Raises UsageError for an unknown
    name.
    """
    if columns is None:
        return list(dict.fromkeys([*_default(output_format, known), *asked_for]))
    names = list(dict.fromkeys(name.strip() for name in columns.split(",")))
    if unknown := [name for name in names if name not in known]:
        raise UsageError(
            f"There is no column '{unknown[0]}'.", hint=f"Known columns: {', '.join(known)}."
        )
    return names


def _default(output_format: Format, known: Fields) -> Sequence[str]:
    is_raw = known is RAW_FIELDS
    match output_format:
        case "text":
            return _RAW_TEXT if is_raw else _DEFAULT_TEXT
        case "csv":
            return _RAW_CSV if is_raw else _DEFAULT_CSV
    return _RAW_JSON if is_raw else _DEFAULT_JSON


def table_columns(
    names: Sequence[str], known: Fields, *, on_terminal: bool, stay: Collection[str | None]
) -> list[Column[Listed]]:
    """Return the columns of a text table with those fields.

    On a terminal the last update is shown as `3 min ago`. Columns of the fields that `stay`, since
    the user asked for them, do not give way to others.
    """
    columns = [
        known[name].column._replace(gives_way=0) if name in stay else known[name].column
        for name in names
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


def values_of(names: Sequence[str], known: Fields) -> Callable[[Rows], list[Sequence[Any]]]:
    """Return a function that returns those fields of rows, each with its values for all rows."""
    values = [known[name].values for name in names]
    return lambda rows: [each(rows) for each in values]
