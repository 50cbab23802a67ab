"""The options that filter sessions, declared once for all commands that take them."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperOption

from pawsctl.cli import lookups
from pawsctl.cli.arguments import duration_option
from pawsctl.cli.global_options import Command, ListCommand, invocation

if TYPE_CHECKING:
    from pawsctl.sessions.query.filters import Filter

_META = "pawsctl.filter"
_WORDS = "pawsctl.filter.words"
_OF_CONVERSATIONS = ("status", "waiting", "grep", "has_tool", "idle", "updated_within")


def chosen_filter(ctx: typer.Context) -> "Filter":
    """Return the filter of a FilteringCommand's options. Raises UsageError if they conflict."""
    # Saves 15 ms for help and completion, which need no filter.
    from pawsctl.errors import UsageError
    from pawsctl.sessions.query.filters import Filter

    given = ctx.meta.get(_META, {})
    for name in _OF_CONVERSATIONS:
        if name in given:
            invocation(ctx).keyspace.require_bots(f"--{name.replace('_', '-')}")
    wanted = Filter(**given)
    if wanted.never_expires and wanted.expiring_within is not None:
        raise UsageError(
            "--never-expires and --expiring-within exclude each other.", hint="Give one of them."
        )
    idle, within = wanted.idle, wanted.updated_within
    if idle is not None and within is not None and idle > within:
        raise UsageError(
            "No session is both updated within a time and idle for longer than that.",
            hint="Give --idle or --updated-within, or a shorter --idle.",
        )
    return wanted


def filter_words(ctx: typer.Context) -> str:
    """Return the options of a FilteringCommand's filter as the user wrote them."""
    keyspace = invocation(ctx).keyspace
    words: list[str] = []
    for each in ctx.meta.get(_WORDS, ()):
        option, blank, value = each.partition(" ")
        shown = keyspace.shown_typed(value)
        is_unclear = blank and (not shown or any(map(str.isspace, shown)))
        words.append(option + blank + (f"'{shown}'" if is_unclear else shown))
    return " ".join(words)


def _text(text: str) -> str:
    """Return a text to look for. Raises BadParameter for none, which every session would have."""
    if not text.strip():
        raise typer.BadParameter("it names no text, and would match everything.")
    return text


def _option(*names: str, convert: Callable[[str], Any] | None = None, **about: Any) -> TyperOption:
    def store(ctx: typer.Context, parameter: Any, value: Any) -> None:
        if value is not None and value is not False:
            words = parameter.opts[0] if value is True else f"{parameter.opts[0]} {value}"
            ctx.meta.setdefault(_WORDS, []).append(words)
            value = value if convert is None else convert(value)
            ctx.meta.setdefault(_META, {})[parameter.name] = value

    return TyperOption(
        param_decls=list(names),
        expose_value=False,
        callback=store,
        rich_help_panel="Filters (all must match)",
        **about,
    )


def _filter_options() -> list[TyperOption]:
    return [
        _option(
            "--match",
            metavar="GLOB",
            help="Only phones, or ids, that match a glob such as +1* (* ? [a-c] \\).",
        ),
        _option(
            "--status",
            metavar="STATUS",
            autocompletion=lookups.statuses,
            help="Only sessions with this status, such as active.",
        ),
        _option(
            "--waiting",
            is_flag=True,
            help="Only sessions whose last message, tool call or result is unanswered.",
        ),
        _option(
            "--grep",
            metavar="TEXT",
            convert=_text,
            help="Only sessions with this text in a visible message; ignores case.",
        ),
        _option(
            "--has-tool",
            metavar="NAME",
            convert=_text,
            help="Only sessions that called this tool.",
        ),
        _option("--problem", is_flag=True, help="Only broken sessions; see 'session lint'."),
        _option(
            "--idle",
            metavar="TIME",
            convert=duration_option,
            help="Only sessions not updated for this long, such as 10m or 2h.",
        ),
        _option(
            "--updated-within",
            metavar="TIME",
            convert=duration_option,
            help="Only sessions updated within this time, such as 10m or 2h.",
        ),
        _option(
            "--expiring-within",
            metavar="TIME",
            convert=duration_option,
            help="Only sessions that expire within this time, such as 30m or 2h.",
        ),
        _option("--never-expires", is_flag=True, help="Only sessions without a TTL."),
    ]


class FilteringCommand(Command):
    """A command on all sessions, or on those that match its filters."""

    def __init__(self, *args: Any, params: Sequence[Any] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, params=[*(params or ()), *_filter_options()], **kwargs)


class FilteringListCommand(FilteringCommand, ListCommand):
    """A FilteringCommand whose result is a list."""
