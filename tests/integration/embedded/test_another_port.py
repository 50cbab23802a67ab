"""`redis up` was told another port than the commands that follow."""

from tests.servers import Server
from tests.stack_fixtures import Stack


def test_a_command_that_changes_sessions_says_that_it_acts_on_another_redis(
    embedded_stack: Stack, server: Server
) -> None:
    """REDIS_PORT stood in front of `up` only, and another Redis has the port of the others."""
    own = str(embedded_stack.port)
    embedded_stack.environment["REDIS_PORT"] = str(server.port)
    assert embedded_stack("redis", "up", env={"REDIS_PORT": own}).status == 0

    told = embedded_stack("session", "seed", "1")
    assert f"this acts on port {server.port} (REDIS_PORT in the environment)" in told.err
    assert f"started this project's Redis on port {own}." in told.err

    same = embedded_stack("session", "seed", "1", env={"REDIS_PORT": own})
    meant = embedded_stack("session", "seed", "1", "--url", server.url)
    assert "this acts on port" not in same.err + meant.err

    embedded_stack("redis", "down", env={"REDIS_PORT": own})
    assert "this acts on port" not in embedded_stack("session", "seed", "1").err
