"""The help of commands and groups: one style, 80 columns at most."""

import shutil
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

GLOBAL = "Global options"
"""The panel of the options that commands inherit."""

_WIDEST, _NARROWEST = 80, 40

Record = tuple[str, str]


def write(
    command: Any,
    ctx: Any,
    formatter: Any,
    *,
    values: Mapping[str, Callable[[], Sequence[str]]] | None = None,
) -> None:
    """Write a command's help: usage, purpose, commands, options, values, examples.

    The options that it inherits are one block at the end: whole for the root, and without their
    meaning elsewhere.
    """
    # Typer's own formatter is never narrower than 50 columns.
    columns = shutil.get_terminal_size().columns
    formatter.width = max(min(columns, _WIDEST), _NARROWEST) - 2
    formatter.write_usage(ctx.command_path, " ".join(_usage(command, ctx)))
    command.format_help_text(ctx, formatter)
    _section(formatter, "Commands", _commands(command, ctx))
    params = [each for each in command.get_params(ctx) if not getattr(each, "hidden", False)]
    own = [each for each in params if _panel(each) != GLOBAL]
    arguments = [(each.metavar, each.help) for each in own if each.param_type_name == "argument"]
    _section(formatter, "Arguments", arguments)
    for panel in dict.fromkeys(map(_panel, own)):
        if panel:
            _section(formatter, panel, [record(each) for each in own if _panel(each) == panel])
    _write_values(formatter, own, values or {})
    _examples(formatter, ctx)
    inherited = [each for each in params if _panel(each) == GLOBAL]
    if ctx.parent is None:
        _section(formatter, GLOBAL, map(record, inherited))
        return
    with formatter.section(GLOBAL):
        words = "  ".join(record(each)[0].replace(" ", "\0") for each in inherited)
        for line in textwrap.wrap(words, formatter.width - 2, break_on_hyphens=False):
            formatter.write(f"  {line}\n".replace("\0", " "))
        formatter.write("  'pawsctl --help' explains them.\n")


def summary(command: Any) -> str:
    """Return the first paragraph of a command's help, on one line."""
    return " ".join((command.help or "").split("\n\n")[0].split())


def record(option: Any) -> Record:
    """Return an option's names and value, and its help with its default."""
    value = "" if option.is_flag else value_of(option)
    names = ", ".join(sorted(option.opts, key=len))
    default = option.default
    if default in (None, "", False) or callable(default):
        return f"{names} {value}".rstrip(), option.help or ""
    shown = f"{default:g}" if isinstance(default, float) else default
    return f"{names} {value}".rstrip(), f"{option.help} [default: {shown}]"


def value_of(option: Any) -> str:
    """Return what an option takes: its metavar, or its choices."""
    return str(option.metavar or "|".join(getattr(option.type, "choices", ("TEXT",))))


def _usage(command: Any, ctx: Any) -> Iterator[str]:
    """Yield what stands behind a command's name."""
    yield "[OPTIONS]"
    for param in command.get_params(ctx):
        if param.param_type_name == "argument":
            yield param.metavar
    if hasattr(command, "list_commands"):
        yield "COMMAND [ARGS]..."


def _panel(param: Any) -> str:
    """Return the heading that a parameter stands under; '' for an argument."""
    if param.param_type_name == "argument":
        return ""
    if "--help" in param.opts:
        return GLOBAL
    return param.rich_help_panel or "Options"


def _commands(command: Any, ctx: Any) -> Iterator[Record]:
    for name in getattr(command, "list_commands", lambda _ctx: ())(ctx):
        found = command.get_command(ctx, name)
        if not found.hidden:
            yield name, summary(found)


def _write_values(
    formatter: Any, params: Sequence[Any], values: Mapping[str, Callable[[], Sequence[str]]]
) -> None:
    """Write what the names in capitals may be, each once."""
    found = {each.metavar: values[each.opts[0]] for each in params if each.opts[0] in values}
    if not found:
        return
    indent = max(map(len, found)) + 4
    with formatter.section("Values"):
        for metavar, names in found.items():
            # Names contain hyphens.
            lines = textwrap.wrap(
                ", ".join(names()), formatter.width - indent, break_on_hyphens=False
            )
            formatter.write(f"  {metavar}".ljust(indent) + f"\n{'':{indent}}".join(lines) + "\n")


def _examples(formatter: Any, ctx: Any) -> None:
    from pawsctl.cli.examples import EXAMPLES

    lines = EXAMPLES.get(ctx.command_path.removeprefix("pawsctl").strip(), ())
    if lines:
        with formatter.section("Examples"):
            for line in lines:
                formatter.write(f"  pawsctl {line}\n")


def _section(formatter: Any, title: str, records: Any) -> None:
    found = list(records)
    if found:
        with formatter.section(title):
            formatter.write_dl(found, col_max=formatter.width // 3)
