"""The parts of redis-py that are used here, imported without its clients.

The package imports clients of all kinds, also for asyncio: a fifth of a short command's time. Here
it waits until one of its names, or another of its modules, is asked for.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from types import ModuleType
from typing import TYPE_CHECKING, Any

__all__ = ["backoff", "connection", "exceptions", "retry"]


def _imported(*names: str) -> Sequence[ModuleType]:
    """Import modules of redis-py; a version whose modules need the package is imported whole."""
    if "redis" not in sys.modules:
        package = sys.modules["redis"] = _waiting_package()
        try:
            with _late_metadata():
                modules = list(map(import_module, names))
        except ImportError:
            for name in [each for each in sys.modules if each.partition(".")[0] == "redis"]:
                del sys.modules[name]
        else:
            if "__getattr__" in vars(package):
                # The import of another module will ask for the path, and so run the package.
                del package.__path__
            return modules
    return list(map(import_module, names))


def _waiting_package() -> ModuleType:
    """Return the package `redis` that runs when it is asked for a name that it does not have."""
    spec = PathFinder.find_spec("redis")
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError("No module named 'redis'", name="redis")
    loader, package = spec.loader, module_from_spec(spec)
    path = package.__path__

    def run(name: str) -> Any:
        del package.__getattr__
        package.__path__ = path
        loader.exec_module(package)
        return getattr(package, name)

    # Python calls it for names that a module does not have (PEP 562).
    package.__getattr__ = run  # type: ignore[method-assign]
    return package


@contextmanager
def _late_metadata() -> Iterator[None]:
    """Have what is imported meanwhile get an `importlib.metadata` that is imported when it is used.

    It takes a twelfth of a short command's time, and redis-py asks it only for its own version.
    """
    names = vars(importlib)
    if "metadata" in names:
        yield
        return
    late = ModuleType("importlib.metadata")
    late.__getattr__ = lambda name: getattr(import_module(late.__name__), name)  # type: ignore[method-assign]
    # Here `from importlib import metadata` looks first.
    names["metadata"] = late
    try:
        yield
    finally:
        if names["metadata"] is late:
            del names["metadata"]


if TYPE_CHECKING:
    from redis import backoff, connection, exceptions, retry
else:
    backoff, connection, exceptions, retry = _imported(
        "redis.backoff", "redis.connection", "redis.exceptions", "redis.retry"
    )
