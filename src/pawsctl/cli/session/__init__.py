"""`pawsctl session …`: each module adds its commands to the group as it is imported."""

from pawsctl.cli.session import changing, checking, reading
from pawsctl.cli.session.group import app

__all__ = ["app", "changing", "checking", "reading"]
