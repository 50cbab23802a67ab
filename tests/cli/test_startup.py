"""A command imports only the modules that it needs."""

from pathlib import Path

import pytest

from tests.cli_runner import Pawsctl
from tests.imports import loaded
from tests.servers import Server, store_session
from tests.shells import in_time

COMPLETION = {"_PAWSCTL_COMPLETE": "complete_bash", "COMP_WORDS": "pawsctl session "}


@pytest.mark.parametrize(
    ("arguments", "env"),
    [
        (["--version"], {}),
        (["--help"], {}),
        (["help", "redis"], {}),
        (["session", "--help"], {}),
        (["session", "get", "--help"], {}),
        ([], COMPLETION | {"COMP_CWORD": "2"}),
        ([], COMPLETION | {"COMP_WORDS": "pawsctl redis ", "COMP_CWORD": "2"}),
    ],
    ids=[
        "version",
        "root help",
        "help as a command",
        "group help",
        "command help",
        "session completion",
        "redis completion",
    ],
)
def test_help_version_and_completion_load_nothing_heavy(
    bare_pawsctl: Pawsctl, arguments: list[str], env: dict[str, str]
) -> None:
    """Neither SDK, nor rich, nor the modules that read files."""
    assert loaded(bare_pawsctl, *arguments, env=env) == set()


def test_reading_a_session_loads_neither_rich_nor_docker(pawsctl: Pawsctl) -> None:
    """This is without a terminal and without a .env."""
    assert loaded(pawsctl, "session", "get", "+1") <= {"redis", "asyncio"}


def test_completion_of_phones_loads_no_sdk(server: Server, pawsctl: Pawsctl) -> None:
    """The Redis SDK alone would take longer than the whole press of the key."""
    store_session(server, "+1", b"{}")
    asked = COMPLETION | {"COMP_WORDS": "pawsctl session get ", "COMP_CWORD": "3"}
    assert in_time(lambda: pawsctl(env=asked).text, "+1\n") == "+1\n"
    assert loaded(pawsctl, env=asked) == set()


def test_completion_offers_the_commands(bare_pawsctl: Pawsctl, tmp_path: Path) -> None:
    """It completes a group's commands; files and phones are left to the shell."""
    result = bare_pawsctl(env=COMPLETION | {"COMP_CWORD": "2"})
    assert {"list", "get", "ttl", "flush"} <= set(result.text.split())
    assert list(tmp_path.iterdir()) == []
