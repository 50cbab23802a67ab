"""Fixtures that several tests of commands need."""

from pathlib import Path

import pytest

from tests.cli_runner import Pawsctl
from tests.servers import Server


@pytest.fixture
def anywhere(any_server: Server, tmp_path: Path) -> Pawsctl:
    """pawsctl with REDIS_URL naming an empty Valkey, then an empty Redis."""
    return Pawsctl(tmp_path, any_server.url)
