"""`pawsctl session …`: each module adds its command to the group as it is imported."""

from importlib import import_module

from pawsctl.cli.session.group import app

# In the order of the help.
for _name in (
    "list",
    "get",
    "ttl",
    "stats",
    "lint",
    "watch",
    "touch",
    "delete",
    "flush",
    "seed",
    "export",
    "import_",
    "verify",
):
    import_module(f"pawsctl.cli.session.{_name}")

__all__ = ["app"]
