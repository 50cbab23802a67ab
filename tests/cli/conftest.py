"""Fixtures that several command tests need."""

from pathlib import Path

import pytest

from tests.cli_runner import Pawsctl
from tests.servers import Server


@pytest.fixture
def anywhere(any_server: Server, tmp_path: Path) -> Pawsctl:
    """pawsctl with REDIS_URL set to an empty Valkey, then to an empty Redis."""
    return Pawsctl(tmp_path, any_server.url)
