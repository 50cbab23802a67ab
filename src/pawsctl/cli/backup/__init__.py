"""The commands of `pawsctl backup`, each in its own module."""

from pawsctl.cli.backup.group import app

__all__ = ["app"]
