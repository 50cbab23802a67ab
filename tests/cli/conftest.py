"""Fixtures that several command tests need."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli_runner import Pawsctl
from tests.servers import NewUser, Server


@pytest.fixture
def anywhere(any_server: Server, tmp_path: Path) -> Pawsctl:
    """pawsctl with REDIS_URL set to an empty Valkey, then to an empty Redis."""
    return Pawsctl(tmp_path, any_server.url)


@pytest.fixture
def user(server: Server) -> Iterator[NewUser]:
    """Return a function that makes a user with these rights, and returns the URL."""

    def made(*rights: str) -> str:
        server.client.execute_command("ACL", "SETUSER", "bot", "reset", "on", ">secret", *rights)
        return server.url.replace("redis://", "redis://bot:secret@")

    yield made
    server.client.execute_command("ACL", "DELUSER", "bot")
