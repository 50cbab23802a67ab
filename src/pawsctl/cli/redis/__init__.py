"""`pawsctl redis …`: each module adds its command to the group as it is imported."""

from pawsctl.cli.redis.group import app

__all__ = ["app"]
