"""The commands of `pawsctl audit`, each in its own module."""

from pawsctl.cli.audit.group import app

__all__ = ["app"]
