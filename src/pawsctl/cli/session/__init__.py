"""`pawsctl session …`: each module adds its commands to the group as it is imported."""

from pawsctl.cli.session import archives, changing, checking, reading, watching
from pawsctl.cli.session.group import app

__all__ = ["app", "archives", "changing", "checking", "reading", "watching"]
