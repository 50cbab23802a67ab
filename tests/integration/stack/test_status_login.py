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


@pytest.mark.parametrize("password", ["", "own"])
def test_what_is_offered_where_a_client_set_a_password_helps(stack: Stack, password: str) -> None:
    """`up` sees no setting that has changed, and so makes nothing anew."""
    env = {"REDIS_PASSWORD": password}
    assert stack("redis", "up", env=env).status == 0
    with stack.client(password or None) as client:
        client.set("kept", "1")
        client.config_set("requirepass", "of somebody")

    told = [stack("redis", "status", env=env), stack("redis", "up", env=env)]
    diagnosis = stack("doctor", "--json", env=env)

    for each in told:
        assert each.status == 1
        assert "'pawsctl redis restart'" in each.text + each.err, each
    (found,) = [each for each in diagnosis.json["findings"] if each["name"] == "stack"]
    assert "'pawsctl redis up' mends it" not in found["hint"]
    assert "'pawsctl redis restart'" in found["detail"]
    assert stack("redis", "restart", env=env).status == 0
    assert stack("redis", "status", env=env).status == 0
    with stack.client(password or None) as client:
        assert client.get("kept") == b"1"
