"""`status` if something prevents `up`."""

import socket

import docker

from tests.stack_fixtures import Stack


def test_a_port_that_another_program_holds_is_told(stack: Stack) -> None:
    """The hint is not 'redis up', but what helps."""
    with socket.create_server(("127.0.0.1", stack.port)):
        done = stack("redis", "status")

    assert done.status == 1
    assert f"Port {stack.port} on 127.0.0.1 is in use by " in done.text
    assert "REDIS_PORT" in done.text
    assert "start it with" not in done.text


def test_the_port_of_a_stopped_redis_may_be_taken_since(stack: Stack) -> None:
    """Redis could not start again."""
    stack("redis", "up")
    stack("redis", "stop")
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", stack.port))
        listener.listen()
        done = stack("redis", "status")

    assert f"Port {stack.port} on 127.0.0.1 is in use by " in done.text


def test_a_foreign_container_of_our_name_is_told(
    docker_stack: Stack, docker_engine: docker.DockerClient
) -> None:
    """`up` leaves it alone, too."""
    foreign = docker_engine.containers.create("redis:7.2-alpine", name=docker_stack.container)
    try:
        done = docker_stack("redis", "status")
    finally:
        foreign.remove()

    assert done.status == 1
    assert f"The container '{docker_stack.container}' was not made by this project" in done.text
    assert "PAWSCTL_PROJECT" in done.text
    assert "start it with" not in done.text


def test_a_free_port_stands_in_nobodys_way(stack: Stack) -> None:
    """The hint is then `up`."""
    assert "start it with 'pawsctl redis up'" in stack("redis", "status").text
