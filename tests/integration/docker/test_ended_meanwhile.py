"""A server that another command ends, and that hangs up while it is asked whether it has saved."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from pawsctl.config import load_settings
from pawsctl.stack.engine.docker.takeover.ending import Ending
from pawsctl.stack.events import Event, Unseen
from pawsctl.stack.project import project as projects
from tests.stack_fixtures import Docker, Stack


@contextmanager
def _hanging_up(port: int) -> Iterator[None]:
    """Accept connections, and close them, as Docker's proxy does when the server has gone."""
    with socket.create_server(("127.0.0.1", port)) as listener:

        def accept() -> None:
            with suppress(OSError):
                while True:
                    listener.accept()[0].close()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


@pytest.mark.parametrize(("how", "is_told"), [("stop", False), ("kill", True), ("remove", True)])
def test_only_one_that_ended_in_order_is_not_warned_of(
    docker_stack: Stack, engine_view: Docker, how: str, is_told: bool
) -> None:
    """One that was killed may have had something that was not on disk."""
    assert docker_stack("redis", "up").status == 0
    settings = load_settings.load(
        environ=docker_stack.environment, directory=docker_stack.folder
    ).stack()
    here = projects.load(settings)
    container = engine_view.container()
    told: list[Event] = []
    ending = Ending(engine_view.api.api, here, here.stack.services[0], container.attrs, told.append)
    if how == "remove":
        container.remove(force=True)
    else:
        getattr(container, how)()

    with _hanging_up(docker_stack.port):
        is_seen = ending.write_out()

    assert is_seen is not is_told
    name = docker_stack.container
    assert told == ([Unseen(name, "the connection was closed")] if is_told else [])
