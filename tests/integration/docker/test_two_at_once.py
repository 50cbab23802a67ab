"""Several pawsctl processes on one project."""

import pytest

from tests.stack_fixtures import Docker, Stack


@pytest.mark.parametrize("is_shared", [True, False], ids=["one user", "several users"])
def test_ups_at_once_all_succeed_and_make_one_redis(
    docker_stack: Stack, engine_view: Docker, *, is_shared: bool
) -> None:
    """A lock in the state directory orders one user's; several users share no lock."""
    ups = [
        docker_stack.start(
            "redis",
            "up",
            env={} if is_shared else {"XDG_STATE_HOME": str(docker_stack.folder / f"user{number}")},
        )
        for number in range(4)
    ]
    said = [each.communicate(timeout=60) for each in ups]

    assert [each.returncode for each in ups] == [0, 0, 0, 0], said
    left = engine_view.names()
    assert left["containers"] == [docker_stack.container]
    assert len(left["networks"]) == 1


def test_up_waits_for_a_down_that_is_under_way(stack: Stack) -> None:
    """Neither removes files that the other needs, rendered ones included."""
    password = {"REDIS_PASSWORD": "secret"}
    stack("redis", "up", env=password)

    for _ in range(3):
        down = stack.start("redis", "down", env=password)
        ups = [stack.start("redis", "up", env=password) for _ in range(2)]
        said = [each.communicate(timeout=60) for each in (down, *ups)]

        assert [each.returncode for each in (down, *ups)] == [0, 0, 0], said
