"""Modules that are imported when something of them is first used."""

from importlib import import_module
from typing import Any


class lazy:  # noqa: N801 - it stands for a module
    """A module that is imported when something of it is first used.

    Listing a group's commands, for help or completion, must not load what they need to run.
    importlib's own LazyLoader leaves half a module behind where Ctrl-C comes between.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        return getattr(import_module(self._name), name)
