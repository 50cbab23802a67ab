"""Every command, as Typer declares it."""

import functools
import textwrap
from collections.abc import Iterator, Mapping
from inspect import unwrap
from types import CodeType, MappingProxyType
from typing import Any

import typer

from pawsctl.cli import help_text
from pawsctl.cli.app import app
from pawsctl.cli.groups import LazyGroup
from pawsctl.errors import ExitStatus
from pawsctl.safety.guarded import changes_something

GLOBAL = help_text.GLOBAL
WIDTH = 96

# Commands whose exit statuses do not follow from their declarations.
_STATUSES = {
    "health": (0, 1, 2, 3, 5),
    "doctor": (0, 1, 2),
    "serve": (0, 1, 2, 7),
    "config": (0, 2),
    "profile list": (0, 2),
    "profile show": (0, 2),
    "profile check": (0, 1, 2),
    "session verify": (0, 1, 2, 8),
    "backup purge": (0, 1, 2, 3),
}


def root() -> Any:
    """Return the root command."""
    found = typer.main.get_command(app)
    assert isinstance(found, LazyGroup)
    return found


@functools.cache
def every_command() -> Mapping[str, Any]:
    """Return every command by its full name, such as `session list`; hidden ones too."""
    return MappingProxyType(dict(_commands(root())))


def _commands(command: Any, path: tuple[str, ...] = ()) -> list[tuple[str, Any]]:
    names = command.list_commands(None) if hasattr(command, "list_commands") else []
    if not names:
        return [(" ".join(path), command)]
    return [
        each for name in names for each in _commands(command.get_command(None, name), (*path, name))
    ]


def own_parameters(command: Any) -> list[Any]:
    """Return a command's arguments and options without the global ones."""
    return [each for each in command.params if each.rich_help_panel != GLOBAL]


def global_options() -> list[Any]:
    """Return the options that every command takes, except `--help`."""
    return [each for each in root().params if each.rich_help_panel == GLOBAL]


def synopsis(name: str, command: Any) -> str:
    """Return the usage, such as `pawsctl session touch PHONE...`."""
    words = ["pawsctl", *name.split()]
    own = own_parameters(command)
    words += [f"[{_spelled(each)}]" for each in own if each.param_type_name == "option"]
    words += [each.metavar for each in own if each.param_type_name == "argument"]
    # No line may break at a space within an option.
    usage = " ".join(each.replace(" ", "\0") for each in words[1 + len(name.split()) :])
    begin = f"pawsctl {name} "
    lines = textwrap.wrap(
        usage,
        initial_indent=begin,
        subsequent_indent=" " * len(begin),
        width=WIDTH,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(lines or [begin.strip()]).replace("\0", " ")


def value_of(option: Any) -> str:
    """Return what an option takes: its metavar or its choices; '' for a flag."""
    if option.is_flag:
        return ""
    return help_text.value_of(option)


def _spelled(option: Any) -> str:
    return f"{option.opts[0]} {value_of(option)}".rstrip()


def statuses(name: str, command: Any) -> list[int]:
    """Return the exit statuses that a command may end with, except those of signals.

    They follow from its parameters and from what it opens: this project's own stack, or the Redis
    of the URL.
    """
    if name in _STATUSES:
        return list(_STATUSES[name])
    found = {ExitStatus.OK, ExitStatus.FAILED, ExitStatus.USAGE}
    names = {each for parameter in own_parameters(command) for each in parameter.opts}
    used = set(_names_used(unwrap(command.callback).__code__))
    if changes_something(name):
        found.add(ExitStatus.NOT_CONFIRMED)
    # `session watch` waits for its phone.
    if "phones" in names or ("phone" in names and changes_something(name)):
        found.add(ExitStatus.NO_SESSION)
    if "stack_of" in used:
        found |= {ExitStatus.UNREACHABLE, ExitStatus.NO_ENGINE}
        found |= {ExitStatus.CONFLICT, ExitStatus.TIMEOUT}
    if used & {"connect", "reader", "store"}:
        found |= {ExitStatus.UNREACHABLE, ExitStatus.PARTIAL}
    return sorted(map(int, found))


def _names_used(code: CodeType) -> Iterator[str]:
    """Yield the names that a function uses, also those of the functions within it."""
    yield from code.co_names
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield from _names_used(each)
