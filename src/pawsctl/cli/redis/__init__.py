"""`pawsctl redis …`: each module adds its command to the group as it is imported."""

from importlib import import_module

from pawsctl.cli.redis.group import app

# In the order of the help.
for _name in (
    "up",
    "dev",
    "down",
    "start",
    "stop",
    "restart",
    "reset",
    "failover",
    "status",
    "logs",
    "cli",
    "memory",
    "maxmemory",
):
    import_module(f"pawsctl.cli.redis.{_name}")

__all__ = ["app"]
