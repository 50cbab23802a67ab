"""Several pawsctl at work on one project."""

import pytest

from tests.stack_fixtures import Docker, Stack


@pytest.mark.parametrize("is_shared", [True, False], ids=["one user", "several users"])
def test_ups_at_once_all_succeed_and_make_one_redis(
    docker_stack: Stack, engine_view: Docker, *, is_shared: bool
) -> None:
    """The lock of one user's state directory orders them; several users have no lock in common."""
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


def test_up_waits_for_a_down_that_is_under_way(docker_stack: Stack, engine_view: Docker) -> None:
    """Whatever comes first, the last word has `up`."""
    docker_stack("redis", "up")

    down = docker_stack.start("redis", "down")
    done = docker_stack("redis", "up")
    down.communicate(timeout=60)

    assert (down.returncode, done.status) == (0, 0), done.err
    assert engine_view.names()["containers"] in ([], [docker_stack.container])
