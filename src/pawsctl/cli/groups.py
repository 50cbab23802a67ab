"""Groups of commands: they import a command when it is called, and understand other names."""

from collections.abc import Set
from importlib import import_module
from typing import Any, ClassVar

import typer
from typer.core import TyperGroup
from typer.models import CommandInfo

from pawsctl.cli import help_text
from pawsctl.cli.global_options import with_global_options


class Group(TyperGroup):
    """A group that also takes the global options, and prints its help if no command is named."""

    untaken: ClassVar[Set[str]] = frozenset()
    """The global options that most of its commands refuse, which help and completion leave out."""

    def __init__(self, *args: Any, params: list[Any] | None = None, **kwargs: Any) -> None:
        own = with_global_options(params, untaken=self.untaken)
        super().__init__(*args, params=own, **kwargs)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse; no argument at all means `--help`, as in docker and gh."""
        return super().parse_args(ctx, args or ["--help"])

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help."""
        help_text.write(self, ctx, formatter)

    def words_left(self, ctx: Any) -> list[str]:
        """Return the words that follow the group's own options: a command's name and the rest."""
        # As TyperGroup.invoke reads them.
        return [*ctx._protected_args, *ctx.args]

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the named command. Raises UsageError with the command that is probably meant."""
        if self.get_command(ctx, args[0]) is None and not ctx.resilient_parsing:
            # Only a wrong name needs them.
            from pawsctl.cli import guesses

            guesses.help_or_version(ctx, args)
            guesses.require_known(ctx, args)
        return super().resolve_command(ctx, args)


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
