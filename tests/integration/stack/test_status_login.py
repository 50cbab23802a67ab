"""`status` of a Redis with another password than the settings."""

import pytest

from tests.stack_fixtures import Stack


@pytest.mark.parametrize("password", ["", "another"])
def test_a_refused_login_is_told_as_such(stack: Stack, password: str) -> None:
    """Redis runs, so the hint is not to start it."""
    stack("redis", "up", env={"REDIS_PASSWORD": "secret"})

    done = stack("redis", "status", env={"REDIS_PASSWORD": password})
    told = stack("redis", "status", "--json", env={"REDIS_PASSWORD": password}).json["problem"]

    assert done.status == 1
    assert "running" in done.text
    assert "does not answer" not in done.text
    assert "set REDIS_PASSWORD to the password it was started with" in done.text
    assert told in done.text


def test_a_redis_without_a_password_answers_all_the_same(stack: Stack) -> None:
    """It answers a redis-cli with a password as well."""
    stack("redis", "up")

    done = stack("redis", "status", "--json", env={"REDIS_PASSWORD": "secret"})

    assert done.status == 0
    assert done.json["memory"] is not None
    assert done.json["problem"] is None
