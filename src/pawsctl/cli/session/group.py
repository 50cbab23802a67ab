"""The `pawsctl session` group."""

from typing import ClassVar

import typer

from pawsctl.cli.groups import LazyGroup


class SessionGroup(LazyGroup):
    """Every command of `pawsctl session` by name, in the order of the help."""

    sources: ClassVar = {
        "list": "pawsctl.cli.session.list",
        "get": "pawsctl.cli.session.get",
        "ttl": "pawsctl.cli.session.ttl",
        "stats": "pawsctl.cli.session.stats",
        "lint": "pawsctl.cli.session.lint",
        "watch": "pawsctl.cli.session.watch",
        "touch": "pawsctl.cli.session.touch",
        "repair": "pawsctl.cli.session.repair",
        "edit": "pawsctl.cli.session.edit",
        "delete": "pawsctl.cli.session.delete",
        "erase": "pawsctl.cli.session.erase",
        "flush": "pawsctl.cli.session.flush",
        "seed": "pawsctl.cli.session.seed",
        "export": "pawsctl.cli.session.export",
        "import": "pawsctl.cli.session.import_",
        "copy": "pawsctl.cli.session.copy",
        "verify": "pawsctl.cli.session.verify",
    }


app = typer.Typer(
    cls=SessionGroup,
    add_completion=False,
    rich_markup_mode=None,
)


@app.callback()
def session() -> None:
    """Inspect and manage sessions.

    These are the bot's sessions, unless SESSION_PREFIX, SESSION_TTL and SESSION_FORMAT describe
    another application's.
    """
