"""The global options, declared once and inherited by every command and group.

`pawsctl --json session list` and `pawsctl session list --json` mean the same; if an option is given
twice, the last one wins. A command that declares an option of the same name keeps its own.
"""

import sys
from collections.abc import Callable, Mapping, Sequence, Set
from pathlib import Path
from typing import Any, ClassVar

import typer
from typer.core import TyperCommand, TyperOption

from pawsctl.cli import help_text
from pawsctl.cli.context import Invocation
from pawsctl.cli.output import FORMATS, LACKING, private

ABOUT_CONNECTIONS = frozenset(
    ("--url", "--connect-timeout", "--timeout", "--failover-timeout", "--db", "--prefer-replica")
)
"""The global options on how to reach a Redis."""

_MOST_SECONDS = 86_400


def invocation(ctx: typer.Context) -> Invocation:
    """Return the invocation that a command's context belongs to."""
    found: Invocation = ctx.obj
    return found


def _store(name: str) -> Callable[[typer.Context, Any, Any], Any]:
    def callback(ctx: typer.Context, _parameter: Any, value: Any) -> Any:
        if value is not None and value is not False:
            setattr(invocation(ctx), name, value)
        return value

    return callback


def _store_json(ctx: typer.Context, _parameter: Any, value: Any) -> Any:
    if value:
        invocation(ctx).format = "json"
    return value


def _print_version(ctx: typer.Context, _parameter: Any, value: Any) -> None:
    if value and not ctx.resilient_parsing:
        # Saves 25 ms without --version.
        from importlib.metadata import version

        sys.stdout.write(f"pawsctl {version('pawsctl')}\n")
        raise typer.Exit


def _store_format(ctx: typer.Context, _parameter: Any, value: Any) -> Any:
    if value is not None:
        if value not in (*FORMATS, "env"):
            known = ", ".join(formats_of(ctx.command))
            raise typer.BadParameter(f"'{value}' is not one of {known}.")
        invocation(ctx).format = value
    return value


def _seconds(ctx: typer.Context, parameter: Any, value: Any) -> Any:
    if value is not None and not 0 < value <= _MOST_SECONDS:
        raise typer.BadParameter(f"it is a number of seconds above 0, {_MOST_SECONDS} at most.")
    return _store(parameter.name)(ctx, parameter, value)


def _database(ctx: typer.Context, parameter: Any, value: Any) -> Any:
    if value is None:
        return None
    from pawsctl.config.target import MOST_DATABASE

    if not 0 <= value <= MOST_DATABASE:
        raise typer.BadParameter(f"it is a number from 0 to {MOST_DATABASE}.")
    return _store(parameter.name)(ctx, parameter, value)


def _url(ctx: typer.Context, parameter: Any, value: Any) -> Any:
    if value is not None and not value.strip():
        # An empty URL from a script's unset variable must not lead to another Redis.
        raise typer.BadParameter("it names no Redis.")
    return _store("url")(ctx, parameter, value)


def _profile(ctx: typer.Context, parameter: Any, value: Any) -> Any:
    if value == "":
        # An empty name from a script's unset variable must not lead to another Redis.
        raise typer.BadParameter("it names no profile.")
    return _store("profile")(ctx, parameter, value)


def _env_file(ctx: typer.Context, parameter: Any, value: Any) -> Any:
    if value == "":
        # An empty name from a script's unset variable must not lead to the nearest .env.
        raise typer.BadParameter("it names no file.")
    return _store("env_file")(ctx, parameter, value and Path(value))


def formats_of(command: Any) -> Sequence[str]:
    """Return the output formats that a command takes; a group takes those of any command."""
    return getattr(command, "formats", FORMATS)


def _global_options(taken: Set[str], untaken: Set[str], formats: Sequence[str]) -> list[Any]:
    def option(*names: str, **about: Any) -> TyperOption:
        # If a command has its own -n, the global option keeps its long name only.
        left = [name for name in names if name not in taken]
        return TyperOption(
            param_decls=left if taken.isdisjoint(names[:1]) else [],
            expose_value=False,
            rich_help_panel=help_text.GLOBAL,
            hidden=names[0] in untaken,
            **about,
        )

    return [
        option("--url", callback=_url, metavar="URL", help="URL of the Redis to use."),
        option(
            "--profile",
            callback=_profile,
            metavar="NAME",
            autocompletion=lambda ctx, _words, _begun: invocation(ctx).profile_names(),
            help="Use the Redis of this profile in pawsctl.toml.",
        ),
        option(
            "--env-file",
            callback=_env_file,
            metavar="FILE",
            help="Read settings from this file instead of the nearest .env.",
        ),
        option(
            "--output",
            "-o",
            callback=_store_format,
            metavar="|".join(formats),
            autocompletion=lambda ctx, _words, _begun: list(formats_of(ctx.command)),
            help="Output format.",
        ),
        option("--json", is_flag=True, callback=_store_json, help="Same as -o json."),
        option(
            "--connect-timeout",
            type=float,
            callback=_seconds,
            metavar="SECONDS",
            help="Timeout for connecting (default 2).",
        ),
        option(
            "--timeout",
            type=float,
            callback=_seconds,
            metavar="SECONDS",
            help="Timeout for each reply of Redis (default 5).",
        ),
        option(
            "--failover-timeout",
            type=float,
            callback=_seconds,
            metavar="SECONDS",
            help="Timeout for a failover to a new primary (default 15).",
        ),
        option(
            "--db",
            "-n",
            type=int,
            callback=_database,
            metavar="NUMBER",
            help="Database number; overrides the URL's.",
        ),
        option(
            "--prefer-replica",
            is_flag=True,
            callback=_store("prefer_replica"),
            help="With Sentinel, read from a replica if possible; data may lag.",
        ),
        option(
            "--read-only",
            is_flag=True,
            callback=_store("read_only"),
            help="Send only commands that read; refuse to change anything.",
        ),
        option("--mask", is_flag=True, callback=_store("mask"), help="Mask phones and text."),
        option("--no-color", is_flag=True, callback=_store("no_color"), help="Disable colour."),
        option(
            "--verbose",
            "-v",
            is_flag=True,
            callback=_store("verbose"),
            help="Tell each step and batch of commands, with times.",
        ),
        option(
            "--version",
            is_flag=True,
            is_eager=True,
            callback=_print_version,
            help="Print the version and exit.",
        ),
    ]


def with_global_options(
    params: Sequence[Any] | None,
    *,
    untaken: Set[str] = frozenset(),
    formats: Sequence[str] = FORMATS,
) -> list[Any]:
    """Return a command's parameters and the global options; the `untaken` ones are hidden."""
    own = list(params or [])
    taken = {name for param in own for name in param.opts}
    return own + [each for each in _global_options(taken, untaken, formats) if each.opts]


class Command(TyperCommand):
    """A command that also takes the global options."""

    formats: ClassVar[Sequence[str]] = ("text", "json", "jsonl")
    """The output formats; csv is for lists, env for a setting as a line of a .env."""
    untaken: ClassVar[Set[str]] = frozenset()
    """The global options that mean nothing to it, which help and completion leave out."""
    hints: ClassVar[Mapping[str, str]] = {}
    """Untaken option → what to do instead of giving it."""
    reaches: ClassVar[str] = "reaches no Redis"
    """Why it takes no options on how to reach a Redis."""
    values: ClassVar[Mapping[str, Callable[[], Sequence[str]]]] = {}
    """Option → a function that returns the values it knows, for help and completion."""

    def __init__(self, *args: Any, params: list[Any] | None = None, **kwargs: Any) -> None:
        own = with_global_options(params, untaken=self.untaken, formats=self.formats)
        super().__init__(*args, params=own, **kwargs)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help."""
        help_text.write(self, ctx, formatter, values=self.values)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse. Raises UsageError for csv or env if the command's result has no such form."""
        try:
            rest = super().parse_args(ctx, args)
        except typer.TyperException as error:
            # The parser does not always say whose option it was.
            error.ctx = getattr(error, "ctx", None) or ctx  # type: ignore[attr-defined]
            raise
        invocation(ctx).command = ctx.command_path.partition(" ")[2]
        invocation(ctx).options = [
            each.opts[0]
            for each in self.params
            if each.param_type_name == "option"
            and getattr(ctx.get_parameter_source(each.name), "name", "") == "COMMANDLINE"
        ]
        asked = invocation(ctx).format
        if ctx.resilient_parsing:
            return rest
        refused = sorted(self.untaken & ABOUT_CONNECTIONS)
        hints = {each: self.hints.get(each, "Leave it out.") for each in refused}
        invocation(ctx).refuse(hints, self.reaches)
        if asked in LACKING and asked not in self.formats:
            from pawsctl.errors import UsageError

            what, hint = LACKING[asked]
            raise UsageError(f"This command has no {what} to print as {asked}.", hint=hint)
        return rest

    def invoke(self, ctx: Any) -> Any:
        """Run the command, once it is known whether what it writes is to be masked."""
        run = invocation(ctx)
        private.resolve(run.mask_in_use, run.output, asked=run.mask)
        return super().invoke(ctx)


class ListCommand(Command):
    """A command whose result is a list."""

    formats = FORMATS


class StackCommand(Command):
    """A command on this project's own stack, which no URL names."""

    untaken = ABOUT_CONNECTIONS
    reaches = "acts on this project's own containers"
    hints: ClassVar = {
        "--url": "Leave it out; REDIS_PORT and PAWSCTL_PROJECT say which they are.",
        "--db": "Leave it out; redis-cli's own options stand behind --: pawsctl redis cli -- -n N.",
        "--timeout": "Leave it out; a command's own --timeout stands behind its name.",
    }


class StackListCommand(StackCommand, ListCommand):
    """A StackCommand whose result is a list."""


class EnvCommand(StackCommand):
    """A StackCommand whose result can be a setting."""

    formats = (*Command.formats, "env")
