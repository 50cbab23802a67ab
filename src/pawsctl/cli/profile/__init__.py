"""The commands of `pawsctl profile`, each in its own module."""

from pawsctl.cli.profile.group import app

__all__ = ["app"]
