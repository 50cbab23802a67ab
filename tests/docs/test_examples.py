"""All examples in the pages are run, and must print what the page says."""

import shutil
from pathlib import Path

import docker
import pytest

from tests.docs import examples, pages
from tests.docs.examples import SECTIONS, Examples, masked
from tests.needs import skip_or_fail
from tests.servers import Server


def assert_true(kind: str, running: Examples) -> None:
    """Run the examples of that kind in the order of the pages; numbers and spacing may differ."""
    for section in SECTIONS:
        if section.kind == kind:
            blocks = section.blocks
            for block, printed in zip(blocks, running.run_all(blocks), strict=True):
                assert masked(printed) == masked(block), section.page.name


@pytest.mark.slow
def test_session_examples_print_what_the_pages_say(tmp_path: Path, redis_server: Server) -> None:
    """They run on a Redis with some sessions, one of them broken; Valkey tells other things."""
    if shutil.which("redis-server") is None:
        skip_or_fail("the examples of the pages are a redis-server's, and there is none")
    with examples.session_examples(tmp_path, redis_server) as running:
        assert_true("sessions", running)


def test_web_examples_print_what_the_pages_say(tmp_path: Path, redis_server: Server) -> None:
    """They ask a running server with curl."""
    if shutil.which("redis-server") is None or shutil.which("curl") is None:
        skip_or_fail("the examples of the server need a redis-server and curl")
    with examples.web_examples(tmp_path, redis_server) as running:
        assert_true("web", running)


@pytest.mark.slow(30)
def test_stack_examples_print_what_the_pages_say(
    tmp_path: Path, docker_engine: docker.DockerClient, project: str
) -> None:
    """They run on a real Docker Engine."""
    assert docker_engine.ping()
    with examples.stack_examples(tmp_path, project, "docker") as running:
        assert_true("stack", running)


@pytest.mark.slow
def test_production_examples_print_what_the_pages_say(tmp_path: Path) -> None:
    """They run on embedded topologies and over TLS."""
    with examples.production_examples(tmp_path, examples.PROJECT) as running:
        assert_true("production", running)


@pytest.mark.slow
def test_examples_of_trouble_print_what_the_pages_say(tmp_path: Path) -> None:
    """They run with the embedded server."""
    with examples.trouble_examples(tmp_path, examples.PROJECT) as running:
        assert_true("trouble", running)


@pytest.mark.slow
def test_tasks_take_the_commands_of_their_page(tmp_path: Path) -> None:
    """They run on a Redis with some sessions, beside a second one."""
    with examples.task_examples(tmp_path, examples.PROJECT) as running:
        assert_true("tasks", running)


@pytest.mark.slow
def test_the_first_walk_works_as_written(tmp_path: Path) -> None:
    """It runs without Docker, in the order of the README."""
    if shutil.which("curl") is None:
        skip_or_fail("the walk of the README needs curl")
    with examples.embedded_examples(tmp_path, examples.PROJECT) as running:
        assert_true("walk", running)


@pytest.mark.slow
def test_a_failover_prints_what_the_pages_say(tmp_path: Path) -> None:
    """It runs on an embedded cluster of its own."""
    with examples.embedded_examples(tmp_path, examples.PROJECT) as running:
        assert_true("failover", running)


def test_no_example_is_left_out() -> None:
    """Each console block on any page belongs to a section that is run."""
    run = [block for section in SECTIONS for block in section.blocks]
    for page in pages.every_page():
        assert [block for block in pages.blocks(page) if block not in run] == [], page.name
