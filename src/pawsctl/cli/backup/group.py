"""The `pawsctl backup` group, and what several of its commands share."""

from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from pawsctl.cli import lookups
from pawsctl.cli.global_options import ABOUT_CONNECTIONS, Command, ListCommand
from pawsctl.cli.groups import LazyGroup

if TYPE_CHECKING:
    from pawsctl.cli.context import Invocation
    from pawsctl.safety.backups.folder import Place


class BackupGroup(LazyGroup):
    """Every command of `pawsctl backup` by name, in the order of the help."""

    sources: ClassVar = {
        "list": "pawsctl.cli.backup.list",
        "show": "pawsctl.cli.backup.show",
        "restore": "pawsctl.cli.backup.restore",
        "purge": "pawsctl.cli.backup.purge",
    }
    untaken = ABOUT_CONNECTIONS


app = typer.Typer(
    cls=BackupGroup,
    add_completion=False,
    rich_markup_mode=None,
)


@app.callback()
def backup() -> None:
    """Bring back what a command deleted or replaced."""


class BackupCommand(Command):
    """A command on the backups of this machine, which connects to no Redis."""

    untaken = ABOUT_CONNECTIONS
    reaches = "works on the backups of this machine"


class BackupListCommand(BackupCommand, ListCommand):
    """A BackupCommand whose result is a list."""


Name = Annotated[
    str,
    typer.Argument(
        metavar="[NAME]", autocompletion=lookups.backups, help="Name of a backup, from 'list'."
    ),
]
Latest = Annotated[
    bool, typer.Option("--latest", help="Use the newest backup that is not of a restore.")
]


def place_of(run: "Invocation", name: str, *, latest: bool) -> "Place":
    """Return the backup that a command line names. Raises UsageError if it names none, or two.

    Says so if the latest is not the newest of all.
    """
    from pawsctl.errors import UsageError
    from pawsctl.safety.backups import folder

    if bool(name) == latest:
        raise UsageError(
            "Name one backup, or say --latest.", hint="'pawsctl backup list' shows their names."
        )
    if not latest:
        return folder.named(name)
    place, newer = folder.latest()
    if newer is not None:
        run.output.note(
            f"Takes {place.name}; {newer.name} is newer, and holds what a restore replaced: name "
            "it to undo that restore."
        )
    return place
