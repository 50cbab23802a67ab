"""`pawsctl session …`: each module adds its command to the group as it is imported."""

from pawsctl.cli.session.group import app

__all__ = ["app"]
