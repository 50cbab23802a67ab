"""`pawsctl redis …`: each module adds its commands to the group as it is imported."""

from pawsctl.cli.redis import lifecycle, looking, memory
from pawsctl.cli.redis.group import app

__all__ = ["app", "lifecycle", "looking", "memory"]
