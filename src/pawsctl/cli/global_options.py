"""The global options, declared once and inherited by every command and group.

`pawsctl --json session list` and `pawsctl session list --json` mean the same; if an option is given
twice, the last one wins. A command that declares an option of the same name keeps its own.
"""

import sys
from collections.abc import Callable, Sequence, Set
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

import typer
from typer.core import TyperCommand, TyperGroup, TyperOption
from typer.models import CommandInfo

from pawsctl.cli.context import Invocation
from pawsctl.cli.output import FORMATS

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
            raise typer.BadParameter(f"'{value}' is not one of {', '.join(FORMATS)}.")
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


def _env_file(ctx: typer.Context, parameter: Any, value: Any) -> Any:
    if value == "":
        # An empty name from a script's unset variable must not lead to the nearest .env.
        raise typer.BadParameter("it names no file.")
    return _store("env_file")(ctx, parameter, value and Path(value))


def _global_options(taken: Set[str]) -> list[TyperOption]:
    def option(*names: str, **about: Any) -> TyperOption:
        # If a command has its own -n, the global option keeps its long name only.
        left = [name for name in names if name not in taken]
        return TyperOption(
            param_decls=left if taken.isdisjoint(names[:1]) else [],
            expose_value=False,
            rich_help_panel="Global options",
            **about,
        )

    return [
        option("--url", callback=_url, metavar="URL", help="URL of the Redis to use."),
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
            metavar="|".join(FORMATS),
            autocompletion=lambda: list(FORMATS),
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
        option("--no-color", is_flag=True, callback=_store("no_color"), help="Disable colour."),
        option(
            "--verbose", "-v", is_flag=True, callback=_store("verbose"), help="Print more details."
        ),
        option(
            "--version",
            is_flag=True,
            is_eager=True,
            callback=_print_version,
            help="Print the version and exit.",
        ),
    ]


def _with_global_options(params: Sequence[Any] | None) -> list[Any]:
    own = list(params or [])
    taken = {name for param in own for name in param.opts}
    return own + [each for each in _global_options(taken) if each.opts]


class Command(TyperCommand):
    """A command that also takes the global options."""

    has_list: ClassVar = False
    """Whether its result is a list, so that it can be printed as csv."""
    has_env: ClassVar = False
    """Whether its result is a setting, so that `env` can print it as a line of a .env."""

    def __init__(self, *args: Any, params: list[Any] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, params=_with_global_options(params), **kwargs)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse. Raises UsageError for csv or env if the command's result has no such form."""
        rest = super().parse_args(ctx, args)
        asked = invocation(ctx).format
        if ctx.resilient_parsing:
            return rest
        if asked == "csv" and not self.has_list:
            from pawsctl.errors import UsageError

            raise UsageError("This command has no list to print as csv.", hint="Use -o json.")
        if asked == "env" and not self.has_env:
            from pawsctl.errors import UsageError

            raise UsageError(
                "This command has no setting to print as env.",
                hint="'pawsctl redis status -o env' prints REDIS_URL with its password.",
            )
        return rest


class ListCommand(Command):
    """A command whose result is a list."""

    has_list = True


class EnvCommand(Command):
    """A command whose result can be a setting."""

    has_env = True


class Group(TyperGroup):
    """A group that also takes the global options, and prints its help if no command is named."""

    def __init__(self, *args: Any, params: list[Any] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, params=_with_global_options(params), **kwargs)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse; no argument at all means `--help`, as in docker and gh."""
        return super().parse_args(ctx, args or ["--help"])


class LazyGroup(Group):
    """A group whose commands are imported and built when they are called.

    `sources` maps a command's name to its module. The module's `app` is either the command itself,
    or a Typer instance to which the module adds the command of that name.
    """

    sources: ClassVar[dict[str, str]]

    def list_commands(self, _ctx: Any) -> list[str]:
        """Return the names of all commands, in the order of their declaration."""
        return list(self.sources)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the named command; an unknown name is compared with all commands for a hint."""
        if args[0] not in self.sources:
            for name in self.sources:
                self.get_command(ctx, name)
        return super().resolve_command(ctx, args)

    def get_command(self, _ctx: Any, cmd_name: str) -> Any:
        """Import and return the command of that name, or None."""
        if cmd_name not in self.commands and cmd_name in self.sources:
            app: typer.Typer = import_module(self.sources[cmd_name]).app
            # Typer would build every command of the instance to find one of them.
            added = [each for each in app.registered_commands if _name(each) == cmd_name]
            command = (
                typer.main.get_command_from_info(
                    added[-1],
                    pretty_exceptions_short=app.pretty_exceptions_short,
                    rich_markup_mode=app.rich_markup_mode,
                )
                if added
                else typer.main.get_command(app)
            )
            command.name = cmd_name
            self.commands[cmd_name] = command
        return self.commands.get(cmd_name)


def _name(command: CommandInfo) -> str:
    """Return the name that Typer gives a command: its own, or that of its function."""
    return command.name or typer.main.get_command_name(getattr(command.callback, "__name__", ""))
