"""A memory limit below what Redis uses."""

import pytest

from tests.stack_fixtures import Stack

MEGABYTE = 1 << 20


@pytest.fixture
def full(stack: Stack) -> Stack:
    """A stack whose Redis uses about 10 MB."""
    stack("redis", "up")
    with stack.client() as client:
        for number in range(10):
            client.set(f"key{number}", bytes(MEGABYTE))
    return stack


def test_up_warns_before_keys_are_evicted(full: Stack) -> None:
    """The warning has both sizes, and comes before the change."""
    done = full("redis", "up", env={"REDIS_MAXMEMORY": "4mb"})

    assert done.status == 0, done.err
    warning, recreating = done.err.splitlines()[-2:]
    assert "redis uses 1" in warning
    assert "4.0 MB" in warning
    assert "evict" in warning
    assert recreating == "Recreating redis, changed: maxmemory; its data is kept."


@pytest.mark.parametrize("limit", ["64mb", "0"])
def test_a_limit_that_all_fits_in_needs_no_warning(full: Stack, limit: str) -> None:
    """0 means no limit."""
    done = full("redis", "up", env={"REDIS_MAXMEMORY": limit})

    assert done.status == 0, done.err
    assert "evict" not in done.err
