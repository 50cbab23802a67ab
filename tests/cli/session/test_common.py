"""Behaviour that every `pawsctl session …` command shares."""

import pytest

from pawsctl.errors import ExitStatus
from tests.cli_runner import Pawsctl
from tests.conftest import GOOD
from tests.servers import Server, store_session

SIX_HOURS = 21_600


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
    store_session(server, "+1", GOOD[0].read_bytes())
    store_session(server, "+2", GOOD[0].read_bytes())
    result = pawsctl("session", "get", "+1", *options)
    assert (result.status, result.out) == (ExitStatus.USAGE, b"")


def test_global_options_work_before_and_after_the_command(pawsctl: Pawsctl, server: Server) -> None:
    """The option that is further right wins."""
    store_session(server, "+1", GOOD[0].read_bytes(), None)
    before = pawsctl("--json", "session", "list")
    after = pawsctl("session", "list", "--json")
    both = pawsctl("-o", "csv", "session", "list", "-o", "json")
    assert before.json == after.json == both.json
