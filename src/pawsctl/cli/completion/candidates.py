"""The words that may stand at the end of a command line."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from pawsctl.cli.context import Invocation
from pawsctl.cli.groups import Group
from pawsctl.cli.help_text import summary


class Candidate(NamedTuple):
    """A word, and what it means; '' if that is clear."""

    word: str
    meaning: str = ""


class Candidates(NamedTuple):
    """The words that may stand there; or names of files, which the shell knows."""

    words: Sequence[Candidate] = ()
    files: bool = False


def of(root: Any, words: Sequence[str], begun: str, *, meanings: bool = True) -> Candidates:
    """Return what may stand after `words`, if it begins with `begun`.

    Without `meanings`, no command is imported for its summary.
    """
    # `help session` is followed by what follows `session`.
    ctx = context(root, words := words[1:] if words[:1] == ["help"] else words)
    if ctx is None:
        return Candidates()
    params = [each for each in ctx.command.get_params(ctx) if not getattr(each, "hidden", False)]
    options = [each for each in params if each.param_type_name == "option"]
    if "--" not in words:
        name, equals, value = begun.partition("=")
        if equals and name.startswith("--"):
            return _values(ctx, _taking(options, name), value)
        if begun.startswith("-") and begun != "-" * 3:
            return Candidates([*_options(ctx, options, begun)])
        if words and (option := _taking(options, words[-1])):
            return _values(ctx, option, begun)
    if isinstance(ctx.command, Group):
        names = [each for each in ctx.command.list_commands(ctx) if each.startswith(begun)]
        return Candidates(
            [Candidate(each, _summary(ctx, each) if meanings else "") for each in names]
        )
    return _values(ctx, _argument(ctx, params), begun)


def context(root: Any, words: Sequence[str]) -> Any:
    """Parse what can be parsed, and return the context of the command that is named last.

    Returns None for an unknown command.
    """
    ctx = root.make_context("pawsctl", [*words], obj=Invocation(), resilient_parsing=True)
    while isinstance(ctx.command, Group) and (left := ctx.command.words_left(ctx)):
        name, command, rest = ctx.command.resolve_command(ctx, left)
        if command is None:
            return None
        ctx = command.make_context(name, rest, parent=ctx, resilient_parsing=True)
    return ctx


def _taking(options: Sequence[Any], name: str) -> Any:
    """Return the option of that name if a value follows it, or None."""
    return next((each for each in options if name in each.opts and not each.is_flag), None)


def _argument(ctx: Any, params: Sequence[Any]) -> Any:
    """Return the argument that the next word belongs to, or None."""
    arguments = [each for each in params if each.param_type_name == "argument"]
    return next((each for each in arguments if each.nargs == -1 or not _is_given(ctx, each)), None)


def _is_given(ctx: Any, param: Any) -> bool:
    """Return whether the command line has a value for an option or argument, or a flag."""
    source = ctx.get_parameter_source(param.name)
    return source is not None and source.name == "COMMANDLINE"


def _summary(ctx: Any, name: str) -> str:
    return summary(ctx.command.get_command(ctx, name))


def _options(ctx: Any, options: Sequence[Any], begun: str) -> Iterator[Candidate]:
    """Yield the names of options; the short ones only if no long one may be meant."""
    for option in options:
        is_over = _is_given(ctx, option) and not option.multiple
        for name in option.opts:
            is_long = name.startswith("--")
            is_meant = is_long or not begun.startswith("--")
            if name.startswith(begun) and is_meant and not is_over:
                yield Candidate(name, option.help or "")


def _values(ctx: Any, param: Any, begun: str) -> Candidates:
    """Return the values of an option or argument."""
    if param is None:
        return Candidates()
    metavar = param.metavar or ""
    if metavar.startswith("FILE"):
        return Candidates(files=True)
    if param.opts[0] in getattr(ctx.command, "values", {}):
        names = ctx.command.values[param.opts[0]]()
        before, comma, begun = begun.rpartition(",") if "," in metavar else ("", "", begun)
        used = before.split(",")
        return Candidates(
            [
                Candidate(before + comma + name)
                for name in names
                if name.startswith(begun) and name not in used
            ]
        )
    given = ctx.params.get(param.name) if param.nargs == -1 else ()
    return Candidates(
        [
            Candidate(each.value, each.help or "")
            for each in param.shell_complete(ctx, begun)
            if each.value not in (given or ())
        ]
    )
