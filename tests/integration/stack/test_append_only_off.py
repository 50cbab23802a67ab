"""A server whose append-only file was switched off while it ran, as where a disk was full."""

from tests.stack_fixtures import Stack


def _switched_off(stack: Stack, key: str) -> None:
    """Store a key that the file as it was does not hold."""
    with stack.client() as client:
        client.config_set("appendonly", "no")
        client.set(key, "1")


def _holds(stack: Stack, key: str) -> bool:
    with stack.client() as client:
        return bool(client.exists(key))


def test_a_stop_leaves_everything_where_the_next_start_finds_it(stack: Stack) -> None:
    """The server reads the file when it starts, and would have found it as it was before."""
    assert stack("redis", "up").status == 0
    _switched_off(stack, "first")

    stop, start = stack("redis", "stop"), stack("redis", "start")

    assert (stop.status, start.status) == (0, 0), stop.err + start.err
    assert _holds(stack, "first")
    _switched_off(stack, "second")
    assert stack("redis", "restart").status == 0
    assert _holds(stack, "second")


def test_embedded_data_outlives_down_and_changed_settings(embedded_stack: Stack) -> None:
    """Each of them ends the server."""
    assert embedded_stack("redis", "up").status == 0
    _switched_off(embedded_stack, "first")
    assert embedded_stack("redis", "up", env={"REDIS_MAXMEMORY": "64mb"}).status == 0
    assert _holds(embedded_stack, "first")
    _switched_off(embedded_stack, "second")

    assert embedded_stack("redis", "down").status == 0
    assert embedded_stack("redis", "up").status == 0

    assert _holds(embedded_stack, "second")
