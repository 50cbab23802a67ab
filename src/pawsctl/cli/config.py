"""`pawsctl config`: every setting and where it came from."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from pawsctl.cli import lookups
from pawsctl.cli.global_options import ABOUT_CONNECTIONS, ListCommand, invocation
from pawsctl.cli.output import units
from pawsctl.cli.output.table import Line, Span, columns_of

if TYPE_CHECKING:
    from pawsctl.config.setting_specs import Setting

app = typer.Typer(add_completion=False, rich_markup_mode=None)


class ConfigCommand(ListCommand):
    """A command that reads settings and does not connect."""

    untaken = ABOUT_CONNECTIONS - {"--url", "--db"}
    values: ClassVar = {"settings": lookups.settings}


@app.command("config", cls=ConfigCommand)
def config(
    ctx: typer.Context,
    settings: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SETTING...]", help="Settings to show; all by default."),
    ] = None,
    *,
    show_url: Annotated[
        bool,
        typer.Option(
            "--show-url",
            help="Print only the URL that session commands use, including its password.",
        ),
    ] = False,
) -> None:
    """Show settings, their values and their origins.

    Passwords are hidden. Without REDIS_URL, shows the URL that follows from the others.
    """
    run = invocation(ctx)
    if not show_url:
        from pawsctl.config.shown_settings import shown

        rows = shown(run.settings, db=run.db, names=settings or ())
        if run.format == "text":
            run.output.lines(settings_view(rows, run.output.room))
        else:
            run.output.rows(rows, ())
        return
    from pawsctl.config import url_with_password

    run.output.show({"url": url_with_password.of(run.target())}, units.url)


def settings_view(rows: Sequence[Setting], room: int | None) -> Iterator[Line]:
    """Render a table of settings; if it is wider than `room`, origins are below their values.

    Neither values nor origins are cut: they are there to be copied.
    """
    names = max(len("SETTING"), *(columns_of(row.name) for row in rows)) + 2
    values = max(len("VALUE"), *(columns_of(_value(row)) for row in rows)) + 2
    if room is None or names + values + max(columns_of(row.origin) for row in rows) <= room:
        yield [(f"{'SETTING':{names}}{'VALUE':{values}}FROM", "bold")]
        for row in rows:
            gap = " " * (values - columns_of(_value(row)))
            yield [_name(row, names), (_value(row) + gap, ""), _origin(row)]
        return
    yield [(f"{'SETTING':{names}}VALUE", "bold")]
    for row in rows:
        beside = names + columns_of(_value(row)) <= room
        yield [_name(row, names if beside else 0), (_value(row) if beside else "", "")]
        if not beside:
            yield [(f"  {_value(row)}", "")]
        if not row.is_default:
            indent = names if names + len("from ") + columns_of(row.origin) <= room else 2
            for line in _wrapped(f"from {row.origin}", indent, room):
                yield [(line, "")]


def _wrapped(text: str, indent: int, room: int) -> list[str]:
    """Return the lines of a text, broken at blanks alone."""
    return textwrap.wrap(
        text,
        room,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + 2),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _name(row: Setting, width: int) -> Span:
    return f"{row.name:{width}}", "cyan"


def _value(row: Setting) -> str:
    return row.value or "-"


def _origin(row: Setting) -> Span:
    return row.origin, "dim" if row.is_default else ""
