"""redis-py is imported without its clients, and has them all the same."""

import subprocess
import sys
from pathlib import Path

import pytest

LIGHT = """
import sys
from pawsctl.connection.sockets import sdk
def clients():
    return sorted({"redis.client", "redis.asyncio"} & sys.modules.keys())
"""


def printed(code: str, path: Path | None = None) -> list[str]:
    """Return the lines that a program prints which finds modules in `path` first."""
    environment = {} if path is None else {"PYTHONPATH": str(path)}
    done = subprocess.run(
        [sys.executable, "-c", LIGHT + code],
        capture_output=True, text=True, check=False, env=environment,
    )  # fmt: skip
    assert done.stderr == ""
    return done.stdout.splitlines()


def test_the_clients_are_not_imported_with_the_connection() -> None:
    """For they take more time than all else."""
    assert printed("print(clients(), sdk.connection.Connection.__name__)") == ["[] Connection"]


@pytest.mark.parametrize(
    "code",
    [
        "import redis\nprint(redis.Redis.__module__)",
        "from redis import Redis\nprint(Redis.__module__)",
        "from redis.client import Redis\nprint(Redis.__module__)",
        "import redis.asyncio\nprint(redis.Redis.__module__, redis.asyncio.Redis.__module__)",
        "from redis.sentinel import Redis\nimport redis\nprint(Redis is redis.Redis)",
        "from redis.cluster import RedisCluster\nimport redis\nprint(redis.RedisCluster)",
        "import redis\nprint(sdk.connection.Connection is redis.Redis().connection_pool."
        "connection_class, sdk.exceptions.RedisError is redis.RedisError)",
    ],
)
def test_all_of_it_is_there_when_it_is_asked_for(code: str) -> None:
    """In whatever order, with the connection that was imported before."""
    (line, clients) = printed(code + "\nprint(clients())")
    assert "False" not in line
    assert clients == "['redis.asyncio', 'redis.client']"


def test_the_metadata_of_packages_are_read_when_they_are_asked_for() -> None:
    """By redis-py, which wants to know its own version, and by anybody else."""
    code = """
import redis.utils
print("importlib.metadata" in sys.modules)
print(redis.utils.get_lib_version() == redis.__version__)
from importlib import metadata
import importlib.metadata
print(metadata.version("redis") == redis.__version__, metadata is importlib.metadata)
print(metadata is sys.modules["importlib.metadata"])
"""
    assert printed(code) == ["False", "True", "True True", "True"]


def test_a_version_that_needs_its_whole_package_is_imported_as_usual(tmp_path: Path) -> None:
    """Its connection wants a name of the package, which wants the connection."""
    package = tmp_path / "redis"
    package.mkdir()
    (package / "__init__.py").write_text("HERE = 1\nfrom redis.connection import Connection\n")
    (package / "connection.py").write_text("from redis import HERE\nclass Connection: pass\n")
    for name in ("backoff", "exceptions", "retry"):
        (package / f"{name}.py").write_text("")
    code = "import redis\nprint(sdk.connection.Connection.__name__, redis.HERE)"
    assert printed(code, tmp_path) == ["Connection 1"]


def test_without_the_package_its_import_fails_as_usual() -> None:
    """With Python's own error."""
    code = """
for name in [each for each in sys.modules if each.startswith("redis")]:
    del sys.modules[name]
sys.path[:] = []
try:
    sdk._imported("redis.connection")
except ModuleNotFoundError as error:
    print(error)
"""
    assert printed(code) == ["No module named 'redis'"]
