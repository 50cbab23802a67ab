"""Load all that commands need, once, so that the forks of this process need no time for it."""

import importlib
import pkgutil
from collections.abc import Iterator
from functools import cache
from typing import Any

import typer

import pawsctl
from pawsctl.cli.app import app
from pawsctl.cli.groups import LazyGroup

LIBRARIES = (
    *("asyncio", "docker", "dotenv", "hiredis", "json", "msgspec", "platformdirs", "psutil"),
    *("redis", "rich.console", "rich.progress", "rich.table", "typer", "urllib.request", "yaml"),
)


@cache
def load() -> None:
    """Import and build all that commands need, so that they do neither. It is done once."""
    for name in (*LIBRARIES, *own_modules()):
        importlib.import_module(name)
    _keep_commands()


def own_modules() -> Iterator[str]:
    """Yield the names of pawsctl's modules."""
    for each in pkgutil.walk_packages(pawsctl.__path__, "pawsctl."):
        # It runs as __main__.
        if each.name != "pawsctl.__main__":
            yield each.name


def _keep_commands() -> None:
    """Have each command of the command line built once, and not when it is called.

    Only one is built in a process that has imported one, but all that were imported are.
    """
    build, built = LazyGroup.get_command, dict[tuple[type, str], Any]()

    def get_command(group: LazyGroup, context: Any, name: str) -> Any:
        key = (type(group), name)
        if key not in built:
            built[key] = build(group, context, name)
        if built[key] is not None:
            group.commands[name] = built[key]
        return built[key]

    def build_all(group: Any) -> None:
        for name in group.list_commands(None):
            if isinstance(found := group.get_command(None, name), LazyGroup):
                build_all(found)

    LazyGroup.get_command = get_command  # type: ignore[assignment, method-assign]
    build_all(typer.main.get_command(app))
