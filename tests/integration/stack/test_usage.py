"""Wrong usage that the stack's commands refuse before they do anything."""

import pytest

from tests.stack_fixtures import Stack

WAITING = ["up", "dev", "start", "restart", "reset", "failover"]


@pytest.mark.parametrize("seconds", ["nan", "inf", "-inf", "0"])
@pytest.mark.parametrize("command", WAITING)
def test_a_timeout_that_is_no_time_is_refused(
    bare_stack: Stack, command: str, seconds: str
) -> None:
    """nan fails every comparison, so a range check alone does not exclude it."""
    done = bare_stack("redis", command, "--timeout", seconds)

    assert done.status == 2
    assert "--timeout" in done.err
    assert "is not from 0.1 to 86400" in done.err


def test_a_failover_without_a_topology_names_both_in_one_line(bare_stack: Stack) -> None:
    """A sentence and a hint, without escapes."""
    done = bare_stack("redis", "failover")

    assert done.status == 2
    error, hint = done.err.splitlines()
    assert "\\x" not in done.err
    assert "--topology sentinel" in hint
    assert "--topology cluster" in hint
    assert "topology" in error


@pytest.mark.parametrize("options", [["--kill", "--graceful"], ["--graceful", "--kill"]])
def test_a_primary_that_is_killed_can_not_give_way(bare_stack: Stack, options: list[str]) -> None:
    """Of the two options, none is preferred."""
    done = bare_stack("redis", "failover", "--topology", "cluster", *options)

    assert done.status == 2
    assert "--kill and --graceful" in done.err
