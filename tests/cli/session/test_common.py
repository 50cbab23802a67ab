"""Behaviour that every `pawsctl session …` command shares."""

import pytest

from pawsctl.errors import ExitStatus
from tests.cli_runner import Pawsctl
from tests.conftest import GOOD
from tests.servers import Server

SIX_HOURS = 21_600


def store(server: Server, phone: str, value: bytes, ttl: int | None = SIX_HOURS) -> None:
    """Store a session as the bot does, or one that never expires."""
    server.client.set(f"wh:session:{phone}", value, ex=ttl)


@pytest.mark.parametrize(
    "options",
    [
        ["--raw", "--json"],
        ["--raw", "-o", "csv"],
        ["--raw", "--full"],
        ["--raw", "--last", "1"],
        ["--raw", "+2"],
        ["--last", "9223372036854775808"],
    ],
)
def test_options_that_contradict_each_other_are_wrong_usage(
    pawsctl: Pawsctl, server: Server, options: list[str]
) -> None:
    """None of them is silently ignored."""
    store(server, "+1", GOOD[0].read_bytes())
    store(server, "+2", GOOD[0].read_bytes())
    result = pawsctl("session", "get", "+1", *options)
    assert (result.status, result.out) == (ExitStatus.USAGE, b"")


def test_global_options_work_before_and_after_the_command(pawsctl: Pawsctl, server: Server) -> None:
    """The option that is further right wins."""
    store(server, "+1", GOOD[0].read_bytes(), None)
    before = pawsctl("--json", "session", "list")
    after = pawsctl("session", "list", "--json")
    both = pawsctl("-o", "csv", "session", "list", "-o", "json")
    assert before.json == after.json == both.json
