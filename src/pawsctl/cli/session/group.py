"""The `pawsctl session` group, and the parameters that several of its commands take."""

from typing import Annotated

import typer

from pawsctl.cli.options import Group

app = typer.Typer(
    cls=Group,
    help="Look after the sessions in a Redis.",
    add_completion=False,
    rich_markup_mode=None,
)

Phones = Annotated[
    list[str],
    typer.Argument(
        metavar="PHONE...",
        help="Phones like +123, whole keys like wh:session:+123, or - to read them from stdin.",
    ),
]
OptionalPhones = Annotated[
    list[str] | None,
    typer.Argument(metavar="[PHONE...]", help="Phones, whole keys, or - to read them from stdin."),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]
Confirm = Annotated[
    str,
    typer.Option("--confirm", metavar="HOST", help="Name the host where it is not this machine."),
]
